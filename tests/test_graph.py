"""The graph, the handle that writes it, and its linter."""

from __future__ import annotations

import networkx as nx
import pytest

from archgen.errors import ArchError
from archgen.graph import Builder, Call, Graph, add, check, maps
from archgen.ops import Act, Add, Conv, GroupNorm, Input, Law, Norm, Weigh


def small() -> Graph:
    builder = Builder((3, 8, 8))
    with builder.scope("stem", "conv_norm"):
        x = builder.input.conv("conv", 4, 3).norm("norm")
    with builder.scope("body"):
        x = x + x.act().conv("conv", 4, 3, dilation=2)
    return builder.graph("small", [x])


def test_names_are_module_paths_and_shapes_follow():
    graph = small()
    assert [(call.name, call.shape) for call in graph.calls] == [
        ("input", (3, 8, 8)),
        ("stem.conv", (4, 8, 8)),
        ("stem.norm", (4, 8, 8)),
        ("body.relu", (4, 8, 8)),
        ("body.conv", (4, 8, 8)),
        ("body.add", (4, 8, 8)),
    ]
    assert graph.labels == {"stem": "conv_norm"}
    assert graph.calls[4].op == Conv(4, 4, 3, 1, 2, 2)
    assert graph.outputs == (5,)
    check(graph)


def test_users_and_dag_agree():
    graph = small()
    assert graph.users == ((1,), (2,), (3, 5), (4,), (5,), ())
    assert graph.dag.name == "small"
    assert nx.is_directed_acyclic_graph(graph.dag)
    assert set(graph.dag.edges) == {
        (graph.calls[source].name, call.name) for call in graph.calls for source in call.inputs
    }
    assert graph.dag.nodes["stem.norm"] == {"op": Norm(4), "shape": (4, 8, 8)}
    assert nx.dag_longest_path(graph.dag)[-1] == "body.add"


def test_params_carry_state_dict_names():
    assert [(name, shape) for name, _, shape in small().params()] == [
        ("stem.conv.weight", (4, 3, 3, 3)),
        ("stem.norm.weight", (4,)),
        ("stem.norm.bias", (4,)),
        ("body.conv.weight", (4, 4, 3, 3)),
    ]
    builder = Builder((3, 8, 8))
    bare = builder.graph("bare", [builder.input.weigh("weight0", 0.0)])
    assert [name for name, *_ in bare.params()] == ["weight0"]


def test_digest_sees_operations_wiring_and_outputs_but_no_names():
    def built(out: int = 4, scope: str = "a", act: bool = True, ends: int = 1) -> str:
        builder = Builder((3, 8, 8))
        with builder.scope(scope):
            x = builder.input.conv("c", out)
            y = x.act("relu" if act else "silu")
        return builder.graph("g", [y, x][:ends]).digest

    assert built() == built(scope="b")
    assert len({built(), built(out=5), built(act=False), built(ends=2)}) == 4


def test_digest_does_not_depend_on_the_process():
    """Studies store digests: this one may only change when the operations do."""
    assert small().digest == "db394a40ef9a715bc5d541514b85cdbd"


def test_digest_does_not_depend_on_the_order_of_branches():
    def both(order: str) -> Graph:
        builder = Builder((3, 8, 8))
        made = {}
        for name in order:
            made[name] = builder.input.conv(name, 4, 3 if name == "a" else 1)
        return builder.graph("g", [made["a"] + made["b"]])

    assert both("ab").digest == both("ba").digest
    swapped = Builder((3, 8, 8))
    x, y = swapped.input.conv("a", 4, 1), swapped.input.conv("b", 4, 3)
    assert swapped.graph("g", [x.cat(y)]).digest != both("ab").digest


def test_only_ranges_of_channels_are_taken():
    x = Builder((8, 4, 4)).input
    assert x[2:-2].shape == (4, 4, 4)
    for wrong in (slice(None, None, 2), 3):
        with pytest.raises(Law, match="only ranges of channels"):
            x[wrong]


@pytest.mark.parametrize(
    "op",
    [Norm(7), Conv(7, 4), Weigh(3), GroupNorm(4, 2), Conv(8, 0), Conv(8, 4, stride=0)],
    ids=repr,
)
def test_an_operation_refuses_a_map_that_it_is_not_made_for(op):
    builder = Builder((8, 4, 4))
    with pytest.raises(ArchError, match=r"^wrong: .*(made for \d channels|at least 1)"):
        builder.add("wrong", op, builder.input)


def test_check_sees_a_wrong_shape():
    graph = small()
    first, conv, *rest = graph.calls
    lies = Graph("g", (first, conv._replace(shape=(4, 9, 9)), *rest), graph.outputs)
    with pytest.raises(ArchError, match=r"stem\.conv: gives 4x8x8, not 4x9x9"):
        check(lies)


def test_weightless_calls_that_nothing_reads_are_dropped():
    builder = Builder((3, 8, 8))
    x = builder.input.conv("conv", 4)
    x.act().mean()
    assert [c.name for c in builder.graph("g", [x]).calls] == ["input", "conv"]


@pytest.mark.parametrize("dead", ["conv", "norm"])
def test_dead_weights_are_refused(dead: str):
    builder = Builder((3, 8, 8))
    x = builder.input.conv("first", 4)
    _ = x.conv("conv", 2) if dead == "conv" else x.norm("norm")
    with pytest.raises(ArchError, match=f"^{dead}: nothing reads its result"):
        builder.graph("g", [x])


def test_names_of_weightless_calls_count_in_their_scope():
    builder = Builder((3, 8, 8))
    x = builder.input.act().act()
    with builder.scope("a"):
        x = x.act()
    with builder.scope("b"):
        x = x.act().act("silu").act()
    names = [c.name for c in builder.graph("g", [x]).calls[1:]]
    assert names == ["relu", "relu_2", "a.relu", "b.relu", "b.silu", "b.relu_2"]


def test_methods_that_change_nothing_add_nothing():
    x = Builder((3, 8, 8)).input
    assert (
        x.act("none") is x.pad(0, 0) is x.subsample(1) is x.dropout("d", 0) is x[:] is x[0:3] is x
    )
    assert add([x]) is x
    assert len(x.builder.calls) == 1


def test_a_layout_survives_until_it_is_split():
    builder = Builder((3, 8, 8))
    a, b = builder.input.conv("a", 4), builder.input.conv("b", 2)
    joined = a.cat(b)
    assert joined.parts == (4, 2)
    first, last = joined.split()
    assert (first.channels, last.channels) == (4, 2)
    ops = [repr(builder.calls[part.index].op) for part in (first, last)]
    assert ops == ["Slice(start=0, stop=4)", "Slice(start=4, stop=None)"]


def test_errors_carry_the_path_of_the_open_scope():
    builder = Builder((3, 8, 8))
    with pytest.raises(ArchError) as caught, builder.scope("stages"), builder.scope("0"):
        builder.input.conv("spatial", 8, 3, groups=5)
    assert str(caught.value) == "stages.0.spatial: 3 -> 8 channels cannot be split into 5 groups"
    assert caught.value.field == "groups"


def test_the_scope_closes_after_an_error():
    builder = Builder((3, 8, 8))
    with pytest.raises(ArchError), builder.scope("a"):
        builder.input.conv("c", 8, 3, groups=5)
    assert builder.calls[builder.input.conv("c", 8).index].name == "c"


def test_a_graph_has_a_largest_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maps, "MAX_CALLS", 3)
    x = Builder((3, 8, 8)).input.act().act()
    with pytest.raises(ArchError, match="relu_3: more than 3 operations; reduce depth"):
        x.act()


def test_two_operations_of_one_name_are_refused():
    builder = Builder((3, 8, 8))
    with builder.scope("a"):
        x = builder.input.conv("c", 4).conv("c", 4)
    with pytest.raises(ArchError, match=r"^a\.c: two operations have this name"):
        builder.graph("g", [x])


INPUT = Call("input", Input((3, 8, 8)), (), (3, 8, 8))
RELU = Act("relu")


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        (
            [Call("a", RELU, (0,), (3, 8, 8)), Call("a", RELU, (1,), (3, 8, 8))],
            "^a: .* taken twice",
        ),
        ([Call("A", RELU, (0,), (3, 8, 8))], "^A: .* no module path"),
        ([Call("class", RELU, (0,), (3, 8, 8))], "no module path"),
        ([Call("a", RELU, (0,), (3, 8, 8)), Call("a.b", RELU, (1,), (3, 8, 8))], "^a: .* module"),
        ([Call("a..b", RELU, (0,), (3, 8, 8))], "no module path"),
        ([Call("a.01", RELU, (0,), (3, 8, 8))], "no module path"),
        ([Call("a", Add(), (0, 1), (3, 8, 8))], "^a: reads a result that is computed later"),
        ([Call("a", RELU, (0,), (3, 8, 8)), Call("b", RELU, (0,), (3, 8, 8))], "^a: .*neither"),
    ],
)
def test_check_refuses_what_is_not_well_formed(calls: list[Call], message: str):
    with pytest.raises(ArchError, match=message):
        check(Graph("g", (INPUT, *calls), (len(calls),)))
