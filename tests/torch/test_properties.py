"""Random small specs: refused with path and law, or built and equal to what PyTorch makes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

import archgen
from archgen import yamlfile
from archgen.analysis import strides
from archgen.blocks import Block, Branch
from archgen.blocks.base import Narrow
from archgen.codegen import root_class
from archgen.errors import ArchError
from archgen.graph import Graph, check
from archgen.joins import Join
from archgen.ops import Conv, GroupNorm, Input, Mean
from archgen.passes.fold import fold
from archgen.spec import Net, names, parse

pytestmark = pytest.mark.torch

# --- the specs ---------------------------------------------------------------------------------

BRANCHES = sorted(kind for kind, block in Block.kinds.items() if issubclass(block, Branch))
ACTS = st.sampled_from(["relu", "silu", "elu", "leaky_relu", "none", "hardswish"])
WIDTHS = st.sampled_from([4, 6, 8, 12])
SHORTHANDS = st.sampled_from(["none", "projection", "zero_pad"])
ADDITIVE = {
    "down": st.sampled_from(["conv", "avg_pool", "subsample"]),
    "source": st.sampled_from(["input", "input", "activated"]),
}
DENSE = {"taps": st.sampled_from(["branch", "block"]), "weight": st.booleans()}


def join(kind: str, need: dict[str, Any], may: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw a join's long form."""
    needed = {"join": st.just(kind), **{name: st.sampled_from(of) for name, of in need.items()}}
    return st.fixed_dictionaries(needed, optional=may)


JOINS = st.one_of(
    SHORTHANDS,
    join("add", {}, {**ADDITIVE, "widen": st.sampled_from(["conv", "zeros"])}),
    join("add", {"widen": ["zeros"], "side": ["end", "both"]}, ADDITIVE),
    join("dense", {}, {**DENSE, "norm": st.sampled_from(["batch", "none"])}),
    join("dense", {"norm": ["group"]}, {**DENSE, "groups": st.sampled_from([1, 1, 2, 3])}),
    join(
        "dense",
        {"affine": [True, False]},
        {**DENSE, "inner": st.sampled_from([False, False, True])},
    ),
    join("dual", {"grow": [1, 2, 4]}, {"widen": st.sampled_from(["conv", "zeros"])}),
    join("concat", {"grow": [2, 4]}, {}),
)
GROWTH: dict[str, dict[str, list[float]]] = {
    "additive": {"alpha": [-4, 1, 7, 12]},
    "multiplicative": {"alpha": [0.5, 1, 1.5, 3]},
    "geometric": {"ratio": [1, 1.5, 2]},
    "quantised": {"slope": [0, 1.5], "ratio": [1.5], "step": [2]},
}
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "dilation": st.sampled_from([1, 2, 4]),
    "groups": st.sampled_from([1, 2]),
    "expand": st.sampled_from([1, 2]),
    "dropout": st.just(0.5),
    "act": ACTS,
    "eps": st.sampled_from([1e-3, 1]),
    "kernel": st.sampled_from([1, 5]),
    "stride": st.sampled_from([1, 2, 3]),
    "se": st.sampled_from([None, 1, 4]),
}


def column(draw: st.DrawFn, values: st.SearchStrategy[Any], depths: list[int]) -> Any:
    """Write a field in any way: one value, one a stage, one a block, first and rest, in turn."""
    form = draw(st.sampled_from(["value", "list", "first and rest", "cycle"]))
    if form == "list":
        plain = [n == 1 or draw(st.booleans()) for n in depths]
        return [
            draw(values) if one else block(draw, values, n)
            for one, n in zip(plain, depths, strict=True)
        ]
    if form == "first and rest":
        return {"first": draw(values), "rest": draw(values)}
    if form == "cycle":
        return {"kind": "cycle", "of": block(draw, values, draw(st.integers(1, 3)))}
    return draw(values)


def block(draw: st.DrawFn, values: st.SearchStrategy[Any], depth: int) -> list[Any]:
    """Draw a value for each block of a stage."""
    return [draw(values) for _ in range(depth)]


def widths(draw: st.DrawFn, depths: list[int]) -> Any:
    """Draw a width schedule of any kind."""
    kind = draw(st.sampled_from(["column", "growing", "growing", *GROWTH]))
    if kind == "column":
        return column(draw, WIDTHS, depths)
    if kind == "growing":
        return sorted(block(draw, WIDTHS, len(depths)))
    grown = {name: draw(st.sampled_from(values)) for name, values in GROWTH[kind].items()}
    return {"kind": kind, "start": draw(WIDTHS), **grown}


def unit(draw: st.DrawFn, depths: list[int]) -> dict[str, Any]:
    """Draw branch, join and columns of a stack; now and then the unit as one value."""
    kind = draw(st.sampled_from(BRANCHES))
    node: dict[str, Any] = {"block": kind, "shortcut": draw(JOINS)}
    concat = isinstance(node["shortcut"], dict) and node["shortcut"]["join"] == "concat"
    if not (concat and issubclass(Block.kinds[kind], Narrow)):
        node["width"] = widths(draw, depths)
    fields = FIELDS.keys() & Block.kinds[kind].model_fields.keys()
    for name in sorted(fields - {"expand"} if concat else fields):
        if not draw(st.integers(0, 2)):
            node[name] = column(draw, FIELDS[name], depths)
    return node if draw(st.integers(0, 9)) else {"block": node}


@st.composite
def nodes(draw: st.DrawFn, maps: list[str]) -> dict[str, Any]:
    """Draw a node below the maps that there are: stages, a list, one block, streams, a fusion."""
    form = draw(st.sampled_from(["stages"] * 4 + ["list", "single", "streams", "fusion", "plain"]))
    if form == "stages":
        depths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        node = {"depth": depths, **unit(draw, depths)}
        if len(depths) > 1 and draw(st.integers(0, 4)) == 0:
            node["between"] = draw(plain_layers())
        return node
    if form == "list":
        depth = draw(st.integers(1, 3))
        return {"depth": depth, **unit(draw, [1] * depth)}
    if form == "single":
        kind = draw(st.sampled_from(BRANCHES))
        fields = {"se": draw(FIELDS["se"])} if draw(st.booleans()) else {}
        return {"block": kind, "width": draw(WIDTHS), "shortcut": draw(JOINS), **fields}
    if form == "streams" and len(maps) > 1:
        sources = draw(st.lists(st.sampled_from(maps), min_size=2, max_size=3, unique=True))
        sources.sort(key=maps.index)
        depths = draw(st.lists(st.integers(1, 2), min_size=len(sources), max_size=len(sources)))
        return {
            "streams": draw(st.integers(1, len(sources))),
            "from": sources,
            "depth": depths,
            **unit(draw, depths),
            "down": {"block": draw(st.sampled_from(["repvgg_sse", "conv_norm"]))},
            "fuse": {"block": draw(st.sampled_from(["parnet_fuse", "concat", "sum"]))},
        }
    if form == "fusion" and len(maps) > 1:
        sources = draw(st.lists(st.sampled_from(maps), min_size=2, max_size=3))
        return {"block": draw(st.sampled_from(["concat", "sum", "parnet_fuse"])), "from": sources}
    return draw(plain_layers())


@st.composite
def plain_layers(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a layer between other nodes."""
    kind = draw(st.sampled_from(["transition", "conv_norm", "conv_pool", "bare_conv_pool"]))
    return {"block": kind} if kind == "transition" else {"block": kind, "width": draw(WIDTHS)}


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a net: a stem, one to three nodes over any maps above, most often a head."""
    stem = draw(st.sampled_from(["conv", "conv_norm", "conv_norm", "conv_pool", "bare_conv_pool"]))
    net: dict[str, Any] = {"stem": {"block": stem, "width": draw(WIDTHS)}}
    maps = ["stem"]
    for name in ("one", "two", "three")[: draw(st.integers(1, 3))]:
        node = draw(nodes(maps))
        net[name] = node
        if isinstance(node.get("depth"), list) and "streams" not in node:
            maps += [f"{name}.{stage}" for stage in range(len(node["depth"]))]
        maps.append(name)
    spec: dict[str, Any] = {
        "name": "drawn",
        "input": [3, *draw(st.sampled_from([(16, 16), (15, 18), (12, 12), (7, 8)]))],
        "nodes": net,
    }
    if draw(st.integers(0, 4)):
        kind = draw(st.sampled_from(["pool_linear", "norm_pool_linear"]))
        net["head"] = {"block": kind, "classes": 3}
    if draw(st.integers(0, 3)) == 0:
        spec["output_stride"] = draw(st.sampled_from([1, 2, 4, 8]))
    if draw(st.integers(0, 4)) == 0:
        ends = st.lists(st.sampled_from([*maps, list(net)[-1]]), min_size=1, max_size=3)
        spec["outputs"] = draw(ends)
    return spec


# --- what holds of each ------------------------------------------------------------------------


@given(data=specs())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_a_spec_is_refused_with_path_and_law_or_is_what_torch_makes_of_it(data: dict[str, Any]):
    net, error = lowered(data)
    if error is not None:
        event("refused")
        is_told_well(data, error)
        return
    event("built")
    check(net.graph())
    again = parse(net.dump())
    assert again.data() == net.data()
    assert again.digest() == net.digest()
    text = archgen.source(net)
    assert archgen.source(again) == text
    assert max(map(len, text.splitlines())) <= 100

    torch.manual_seed(0)
    model = archgen.build(net).double()
    torch_counts_the_same(model, net)
    exported_is_equal(model, net, text)
    a_step_is_the_graphs(model, net)
    folded_is_equal(model, net)
    if pair := strided_and_dense(net):
        event("dense")
        dense_follows_strided(*pair)


def lowered(data: dict[str, Any]) -> tuple[Net, ArchError | None]:
    """Make a spec and its graph, or the error that refuses it."""
    try:
        net = Net.of(data)
        net.graph()
    except ArchError as error:
        return Net.model_construct(), error
    return net, None


def is_told_well(data: dict[str, Any], error: ArchError) -> None:
    """The path starts at a node or a key of the spec; from a file, the line is told."""
    assert error.path.split(".")[0] in {*data["nodes"], *names.TOP_LEVEL}
    assert error.message
    assert "\n" not in str(error)
    with pytest.raises(ArchError) as again:
        parse(yamlfile.dump(data)).graph()
    assert (again.value.path, again.value.message) == (error.path, error.message)
    assert again.value.line


def torch_counts_the_same(model: nn.Module, net: Net) -> None:
    """Parameters, buffers and MACs."""
    counts = archgen.cost(net)
    assert sum(p.numel() for p in model.parameters()) == counts.params
    buffers = [b for n, b in model.named_buffers() if not n.endswith("batches_tracked")]
    assert sum(b.numel() for b in buffers) == counts.buffers
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.randn(1, *net.input, dtype=torch.float64))
    assert counter.get_total_flops() == 2 * counts.macs


def exported_is_equal(model: nn.Module, net: Net, text: str) -> None:
    """The text alone is the module: no archgen is needed to run it."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)
    exported = namespace[root_class(net.name)]().double()
    exported.load_state_dict(model.state_dict())
    x = torch.randn(2, *net.input, dtype=torch.float64)
    with torch.no_grad():
        pairs = zip(tensors(exported.eval()(x)), tensors(model.eval()(x)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def a_step_is_the_graphs(model: nn.Module, net: Net) -> None:
    """One training step: results, shapes and gradients are those of the graph, run by itself.

    A weight may have no gradient by chance (a ReLU that is shut for all of four images), but
    not with several draws of all weights.
    """
    graph = net.graph()
    still = {name for name, _ in model.named_parameters()}
    for _ in range(6):
        randomise(model, graph)
        grads = compared_step(model, graph)
        still -= {name for name, grad in grads.items() if grad.any()}
        if not still:
            break
    assert still == set()
    moved = {name: weight.clone() for name, weight in model.named_parameters()}
    torch.optim.SGD(model.parameters(), lr=1e-3).step()
    for name, weight in model.named_parameters():
        # A smaller step may be lost in rounding.
        assert not torch.equal(moved[name], weight) or grads[name].abs().max() < 1e-9, name
    with torch.no_grad():
        outs = tensors(model(torch.randn(4, *net.input, dtype=torch.float64)))
    assert all(out.isfinite().all() for out in outs)


def compared_step(model: nn.Module, graph: Graph) -> dict[str, Tensor]:
    """Run module and graph in training mode on one batch; give the gradients, which are equal."""
    model.train()
    x = torch.randn(4, *graph.calls[0].shape, dtype=torch.float64)
    weighing = [torch.randn(4, *graph.calls[end].shape) for end in graph.outputs]
    steps = []
    for run in (model, lambda x: operation_by_operation(model, graph, x)):
        with torch.random.fork_rng():  # both drop the same values
            outs = tensors(run(x))
        terms = [(out * weights).sum() for out, weights in zip(outs, weighing, strict=True)]
        assert all(out.shape == weights.shape for out, weights in zip(outs, weighing, strict=True))
        loss = torch.stack(terms).sum()
        model.zero_grad()
        loss.backward()
        grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        assert len(grads) == len(list(model.parameters()))
        steps.append((outs, grads))
    (outs, grads), (wanted_outs, wanted_grads) = steps
    assert all(map(close, outs, wanted_outs))
    # A shift in front of a norm has the gradient 0 and shows rounding alone.
    noise = 1e-12 * max(float(grad.abs().max()) for grad in wanted_grads.values())
    for name, grad in grads.items():
        assert grad.isfinite().all()
        assert close(grad, wanted_grads[name], noise), name
    return grads


def operation_by_operation(model: nn.Module, graph: Graph, x: Tensor) -> tuple[Tensor, ...]:
    """Run each operation's own expression on the model's weights: nothing in place, no modules."""
    results: list[Tensor] = []
    owned = {**dict(model.named_modules()), **dict(model.named_parameters())}
    for call in graph.calls:
        if isinstance(call.op, Input):
            results.append(x)
            continue
        me = SimpleNamespace(it=owned.get(call.name))
        scope = {"torch": torch, "F": F, "self": me}
        scope |= {f"x{i}": results[source] for i, source in enumerate(call.inputs)}
        parts = call.op.expr([f"x{i}" for i in range(len(call.inputs))], "it")
        text = "".join(p if isinstance(p, str) else f"{p.keyword}{p.value!r}" for p in parts)
        results.append(eval(text, scope))
        assert tuple(results[-1].shape[1:]) == call.shape, call.name
    return tuple(results[end] for end in graph.outputs)


@torch.no_grad()
def randomise(model: nn.Module, graph: Graph) -> None:
    """Move all weights and statistics off their start, where norms and some weights are inert."""
    owners = {name: call.op for name, call, _ in graph.params()}
    for name, weight in model.named_parameters():
        op = owners[name]
        gate = isinstance(op, Conv) and op.bias  # its ReLU must open, were it a single one
        if weight.dim() > 1:
            deviation = 0.05 if gate else (2 / weight[0].numel()) ** 0.5
            weight.copy_(torch.randn_like(weight) * deviation)
        elif gate:
            weight.uniform_(0.5, 1.5)
        else:
            weight.copy_(torch.randn_like(weight) * 0.3 + (0.0 if name.endswith("bias") else 1.0))
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.3)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)


def folded_is_equal(model: nn.Module, net: Net) -> None:
    """Norms and parallel branches fold into convolutions that give the same, at any size."""
    folded = archgen.deploy(model)
    channels, tall, wide = net.input
    for sides in ((tall, wide), (tall + 1, wide + 1)):
        x = torch.randn(2, channels, *sides, dtype=torch.float64)
        if sides == (tall, wide) or lowered(net.data() | {"input": [channels, *sides]})[1] is None:
            with torch.no_grad():
                assert all(map(close, tensors(folded(x)), tensors(model.eval()(x))))
    wanted = archgen.cost(fold(net.graph()).graph).params
    assert sum(p.numel() for p in folded.parameters()) == wanted


def strided_and_dense(net: Net) -> tuple[Net, Net] | None:
    """Give the net up to its last map, with strides and with some cut, where the law holds."""
    nodes = [name for name in net.nodes if name != "head"]
    strided, refused = lowered(net.data() | {"output_stride": None, "outputs": nodes[-1:]})
    if refused or any(isinstance(call.op, Mean | GroupNorm) for call in strided.graph().calls):
        return None
    dense, refused = lowered(strided.data() | {"output_stride": net.output_stride or 2})
    return None if refused or dense.digest() == strided.digest() else (strided, dense)


def dense_follows_strided(strided: Net, dense: Net) -> None:
    """The law of output_stride: the dense map, taken at every s-th position, is the strided."""
    model, twin = archgen.build(strided).double(), archgen.build(dense, init=False).double()
    randomise(model, strided.graph())
    twin.load_state_dict(model.state_dict())
    x = torch.randn(2, *strided.input, dtype=torch.float64)
    with torch.no_grad():
        wanted, larger = model.eval()(x), twin.eval()(x)
    step, rest = divmod(
        *(strides(each.graph())[each.graph().outputs[0]] for each in (strided, dense))
    )
    taken = larger[:, :, ::step, ::step]
    assert (rest, taken.shape) == (0, wanted.shape)
    assert close(taken, wanted)


def close(first: Tensor, second: Tensor, noise: float = 1e-12) -> bool:
    """Whether two tensors are equal to 1e-9 of the largest value."""
    return bool((first - second).abs().max() <= 1e-9 * second.abs().max() + noise)


def tensors(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


# --- the generator -----------------------------------------------------------------------------


def test_the_specs_drawn_are_of_both_kinds_and_of_all_ingredients():
    """A generator that is always refused, or that leaves an idea out, would prove little."""
    built: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []

    @given(specs())
    @settings(max_examples=600, database=None, suppress_health_check=[HealthCheck.too_slow])
    def count(data: dict[str, Any]) -> None:
        net, error = lowered(data)
        (refused if error else built).append(net.data() if not error else data)

    count()
    assert sum(strided_and_dense(Net.of(data)) is not None for data in built) >= 20
    share = len(built) / (len(built) + len(refused))
    assert 0.4 <= share <= 0.85
    stacks = [node for data in built for node in data["nodes"].values() if "depth" in node]
    assert {node["block"] for node in stacks} == set(BRANCHES)
    joins = {node["shortcut"]["join"] for node in stacks if isinstance(node["shortcut"], dict)}
    assert joins == Join.kinds.keys() - {"none"}
    assert {node["shortcut"] for node in stacks if isinstance(node["shortcut"], str)} == {
        "none",
        "projection",
        "zero_pad",
    }
    schedules = {
        node["width"].get("kind", "first and rest")
        for node in stacks
        if isinstance(node.get("width"), dict)
    }
    assert len(schedules) == 6
    has: list[Callable[[dict[str, Any]], bool]] = [
        lambda node: node.get("streams", 0) > 1,
        lambda node: "se" in node,
        lambda node: "dilation" in node,
        lambda node: "between" in node,
    ]
    assert all(sum(map(idea, stacks)) >= 5 for idea in has)
    assert all(sum(key in data for data in built) >= 10 for key in ("output_stride", "outputs"))
