"""Joins: every way in which a branch meets what came before, and what has no meaning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archgen.blocks import Block
from archgen.blocks.base import Narrow
from archgen.errors import ArchError
from archgen.graph import Graph, Map
from archgen.joins import SHORTHANDS, Join
from archgen.ops import Norm, Weigh
from archgen.spec import Net

STEM = "stem: {block: conv_norm, width: 8, act: none}"
Make = Callable[..., Net]
Written = Callable[[Graph, str], str]

BASIC = "conv1(8>{o},3{s}) norm1 relu conv2({o}>{o},3) norm2"
PREACT = "norm1 relu conv1(8>{o},3{s}) norm2 relu_2 conv2({o}>{o},3)"


def stack(net: Make, block: str, join: str, fields: str, depth: str = "2", **top: object) -> Graph:
    node = f"s: {{block: {block}, depth: {depth}, {fields}, shortcut: {join}}}"
    return net(STEM, node, **top).graph()


def test_no_shortcut_is_the_branch_alone(net: Make, written: Written):
    graph = stack(net, "basic", "none", "width: 16, stride: 2", "1")
    assert written(graph, "s.0") == BASIC.format(o=16, s="/2") + " relu_2"


def test_an_unchanged_shape_is_added_as_it_is(net: Make, written: Written):
    for join in ("projection", "zero_pad", "{join: add, down: avg_pool, widen: zeros}"):
        graph = stack(net, "basic", join, "width: 8", "1")
        assert written(graph, "s.0") == BASIC.format(o=8, s="") + " add[2] relu_2"


# What stands on the shortcut where the unit goes from 8 to 16 channels, where its stride is 2,
# and where both happen.
ADDITIVE = [
    ("conv", "conv", "input", "C8>16,1 N", "C8>8,1/2 N", "C8>16,1/2 N"),
    ("conv", "conv", "activated", "C8>16,1", "C8>8,1/2", "C8>16,1/2"),
    ("conv", "zeros", "input", "pad(0,8)", "C8>8,1/2 N", "C8>16,1/2 N"),
    ("avg_pool", "conv", "input", "C8>16,1 N", "avg_pool(2/2c)", "avg_pool(2/2c) C8>16,1 N"),
    ("avg_pool", "zeros", "input", "pad(0,8)", "avg_pool(2/2c)", "avg_pool(2/2c) pad(0,8)"),
    ("subsample", "conv", "input", "C8>16,1 N", "subsample(2)", "subsample(2) C8>16,1 N"),
    ("subsample", "zeros", "input", "pad(0,8)", "subsample(2)", "subsample(2) pad(0,8)"),
    ("avg_pool", "conv", "activated", "C8>16,1", None, "avg_pool(2/2c) C8>16,1"),
    ("subsample", "conv", "activated", "C8>16,1", None, "subsample(2) C8>16,1"),
]


@pytest.mark.parametrize(("down", "widen", "source", "wider", "strided", "both"), ADDITIVE)
def test_a_changed_shape_is_met(
    net: Make,
    written: Written,
    down: str,
    widen: str,
    source: str,
    wider: str,
    strided: str | None,
    both: str,
):
    join = f"{{join: add, down: {down}, widen: {widen}, source: {source}}}"
    for fields, out, stride, wanted in (
        ("width: 16", 16, "", wider),
        ("width: 8, stride: 2", 8, "/2", strided),
        ("width: 16, stride: 2", 16, "/2", both),
    ):
        if wanted is None:
            continue
        match = " ".join(
            f"shortcut.conv({part[1:]})" if part[0] == "C" else part for part in wanted.split()
        ).replace(" N", " shortcut.norm")
        branch = PREACT.format(o=out, s=stride)
        assert written(stack(net, "basic_preact", join, fields, "1"), "s.0") == (
            f"{branch} {match} add[2]"
        )


def test_the_projection_reads_the_units_input_or_its_activated_input(net: Make):
    for source, reads in (("input", "stem.norm"), ("activated", "s.0.relu")):
        join = f"{{join: add, source: {source}}}"
        dag = stack(net, "basic_preact", join, "width: 16", "1").dag
        assert list(dag.predecessors("s.0.shortcut.conv")) == [reads]


def test_zero_channels_go_to_the_end_or_to_both_sides(net: Make, written: Written):
    for side, wanted in (("end", "pad(0,5)"), ("both", "pad(2,3)")):
        join = f"{{join: add, down: subsample, widen: zeros, side: {side}}}"
        assert wanted in written(stack(net, "basic", join, "width: 13", "1"), "s.0")


def test_option_a_shortcuts_cost_nothing(net: Make):
    with_shortcut = stack(net, "basic", "zero_pad", "width: 16, stride: 2")
    without = stack(net, "basic", "none", "width: 16, stride: 2")
    assert [n for n, *_ in with_shortcut.params()] == [n for n, *_ in without.params()]


def test_shorthands_are_the_long_forms(net: Make):
    for word, long in SHORTHANDS.items():
        text = "{" + ", ".join(f"{key}: {value}" for key, value in long.items()) + "}"
        short = stack(net, "basic", word, "width: 16, stride: 2")
        assert short.digest == stack(net, "basic", text, "width: 16, stride: 2").digest


DUAL = "{join: dual, grow: [4, 2]}"


@pytest.mark.parametrize(
    ("block", "expand"),
    [
        ("basic", 1),
        ("repvgg", 1),
        ("repvgg_sse", 1),
        ("basic_pyramid", 1),
        ("bottleneck_preact", 4),
    ],
)
def test_a_dual_map_has_out_and_growing_dense_channels(net: Make, block: str, expand: int):
    """After unit j (from 1) of a stage: bw + (j + 2) * inc channels (arXiv:1707.01629)."""
    graph = stack(net, block, DUAL, "width: [8, 16], stride: [1, 2]", "[3, 2]")
    shapes = {call.name: call.shape for call in graph.calls}
    cats = {name: shape[0] for name, shape in shapes.items() if name.endswith(".cat")}
    assert cats == {
        f"s.{stage}.{j - 1}.cat": bw * expand + (j + 2) * inc
        for stage, bw, inc, units in ((0, 8, 4, 3), (1, 16, 2, 2))
        for j in range(1, units + 1)
    }


def test_a_dual_unit_is_that_of_dpn(net: Make, written: Written):
    """The unit of arXiv:1707.01629, 'proj', 'normal' and 'down' units."""
    graph = stack(net, "bottleneck_preact", DUAL, "width: [8, 16], stride: [1, 2]", "[2, 1]")
    branch = (
        "reduce_norm relu reduce({i}>{w},1) spatial_norm relu_2 spatial({w}>{w},3{s}) "
        "expand_norm relu_3 expand({w}>{o},1)"
    )
    end = "slice_3(0:{b}) slice_4({b}:) add[2] cat[3]"
    assert written(graph, "s.0.0") == (
        "shortcut.norm shortcut.relu shortcut.conv(8>40,1) slice(0:32) slice_2(32:) "
        + branch.format(i=8, w=8, s="", o=36)
        + " "
        + end.format(b=32)
    )
    assert written(graph, "s.0.1") == (
        "slice(0:32) slice_2(32:) " + branch.format(i=44, w=8, s="", o=36) + " " + end.format(b=32)
    )
    assert written(graph, "s.1.0") == (
        "shortcut.norm shortcut.relu shortcut.conv(48>68,1/2) slice(0:64) slice_2(64:) "
        + branch.format(i=48, w=16, s="/2", o=66)
        + " "
        + end.format(b=64)
    )
    dag = graph.dag
    assert list(dag.predecessors("s.1.0.shortcut.norm")) == ["s.0.1.cat"]
    cat = next(call for call in graph.calls if call.name == "s.0.1.cat")
    assert [graph.calls[i].name for i in cat.inputs] == [
        "s.0.1.add",
        "s.0.1.slice_2",
        "s.0.1.slice_4",
    ]


def test_a_split_branch_expands_each_path_by_itself(net: Make, written: Written):
    graph = stack(net, "bottleneck_preact_split", DUAL, "width: [8, 16]", "[1, 1]")
    assert written(graph, "s.0.0").endswith("relu_3 expand1(8>32,1) expand2(8>4,1) add[2] cat[3]")
    whole = stack(net, "bottleneck_preact", DUAL, "width: [8, 16]", "[1, 1]")
    total = [sum(call.op.param_count for call in g.calls) for g in (graph, whole)]
    assert total[0] == total[1]


def test_post_activation_branches_project_with_norm_under_dual(net: Make, written: Written):
    text = written(stack(net, "basic", DUAL, "width: [8, 16]", "[1, 1]"), "s.0.0")
    assert text.startswith(
        "shortcut.conv(8>16,1) shortcut.norm slice(0:8) slice_2(8:) conv1(8>8,3)"
    )
    assert text.endswith("add[2] cat[3] relu_2")


@pytest.mark.parametrize(
    ("widen", "block", "wanted"),
    [
        ("zeros", "basic_preact", "pad(0,2) "),
        ("conv", "basic_preact", "shortcut.conv(8>10,1) "),
        ("conv", "basic", "shortcut.conv(8>10,1) shortcut.norm "),
    ],
)
def test_pyramid_widths_on_the_residual_path_keep_the_dense_channels(
    net: Make, written: Written, widen: str, block: str, wanted: str
):
    join = f"{{join: dual, grow: 4, widen: {widen}}}"
    graph = stack(net, block, join, "width: [8, 10, 13]", "3")
    assert written(graph, "s.1").startswith(f"slice(0:8) slice_2(8:) {wanted}")
    names = [call.name for call in graph.calls]
    for unit, out in ((1, 10), (2, 13)):
        cat = graph.calls[names.index(f"s.{unit}.cat")]
        residual, dense, new = (graph.calls[i].shape[0] for i in cat.inputs)
        assert (residual, dense, new) == (out, (unit + 2) * 4, 4)
        assert graph.calls[cat.inputs[1]].name == f"s.{unit}.slice_2"


def test_a_stride_inside_a_stage_opens_a_dual_map_again(net: Make, written: Written):
    graph = stack(net, "basic_preact", "{join: dual, grow: 4}", "width: 8, stride: [1, 2]", "2")
    assert "shortcut.conv(20>16,1/2)" in written(graph, "s.1")
    assert graph.calls[-1].shape == (8 + 3 * 4, 16, 16)


def test_concat_appends_to_the_input(net: Make, written: Written):
    graph = stack(net, "dense_layer", "{join: concat, grow: [4, 6]}", "eps: 0.001", "2")
    assert written(graph, "s") == (
        "0.norm 0.relu 0.conv(8>4,3) 0.cat[2] 1.norm 1.relu 1.conv(12>6,3) 1.cat[2]"
    )
    cat = next(call for call in graph.calls if call.name == "s.1.cat")
    assert [graph.calls[i].name for i in cat.inputs] == ["s.0.cat", "s.1.conv"]


def test_dense_costs_n_n_plus_1_over_2_weights_a_channel(net: Make):
    """Each (source, target) pair has its own norm and weight."""
    for n in (1, 2, 5):
        graph = stack(net, "basic", "{join: dense}", "width: 16", str(n))
        inside = [call.op for call in graph.calls if ".dense." in call.name]
        assert (
            sum(op.param_count for op in inside if isinstance(op, Weigh)) == n * (n + 1) // 2 * 16
        )
        norms = sum(op.param_count for op in inside if isinstance(op, Norm))
        assert norms == n * (n + 1) * 16


def test_dense_units_sum_all_earlier_branches_and_the_stages_input(net: Make, written: Written):
    graph = stack(net, "basic", "{join: dense}", "width: 16, stride: 2", "2")
    assert written(graph, "s.0") == (
        BASIC.format(o=16, s="/2") + " shortcut.conv(8>16,1/2) shortcut.norm "
        "dense.norm0 dense.weight0 dense.add[2] relu_2"
    )
    assert written(graph, "s.1").endswith(
        "norm2 dense.norm0 dense.weight0 dense.norm1 dense.weight1 dense.add[3] relu_2"
    )
    dag = graph.dag
    assert list(dag.predecessors("s.1.dense.norm0")) == ["s.0.shortcut.norm"]
    assert list(dag.predecessors("s.1.dense.norm1")) == ["s.0.norm2"]
    starts = [call.op.start for call in graph.calls if isinstance(call.op, Weigh)]
    assert starts == [1.0, 0.0, 1.0]


def test_dense_taps_the_units_result_instead(net: Make):
    dag = stack(net, "basic", "{join: dense, taps: block}", "width: 8", "2").dag
    assert list(dag.predecessors("s.1.dense.norm0")) == ["stem.norm"]
    assert list(dag.predecessors("s.1.dense.norm1")) == ["s.0.relu_2"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("norm: group, groups: 4", "GroupNorm(channels=8, groups=4, eps=1e-05, affine=True)"),
        (
            "norm: group, groups: 2, affine: false",
            "GroupNorm(channels=8, groups=2, eps=1e-05, affine=False)",
        ),
        ("affine: false", "Norm(channels=8, eps=1e-05, momentum=0.1, affine=False)"),
    ],
)
def test_dense_norms(net: Make, options: str, wanted: str):
    graph = stack(net, "basic", f"{{join: dense, {options}}}", "width: 8", "1")
    assert repr(graph.calls[-4].op) == wanted
    assert graph.calls[-3].name == "s.0.dense.weight0"


def test_dense_without_norm_and_weight_is_a_plain_sum(net: Make, written: Written):
    join = "{join: dense, norm: none, weight: false}"
    graph = stack(net, "basic", join, "width: 8", "2")
    assert written(graph, "s.1") == BASIC.format(o=8, s="") + " dense.add[3] relu_2"


def test_dense_widens_with_zeros_behind_the_weight(net: Make, written: Written):
    graph = stack(net, "basic", "{join: dense}", "width: [8, 10]", "2")
    assert written(graph, "s.1").endswith(
        "dense.norm0 dense.weight0 dense.pad(0,2) dense.norm1 dense.weight1 dense.pad_2(0,2) "
        "dense.add[3] relu_2"
    )


@pytest.mark.parametrize("taps", ["branch", "block"])
def test_inner_shortcuts_meet_at_the_3x3(net: Make, written: Written, taps: str):
    join = f"{{join: dense, inner: true, taps: {taps}}}"
    graph = stack(net, "bottleneck", join, "width: 8, expand: 1", "3")
    assert "inner" not in written(graph, "s.0")
    assert (
        "spatial(8>8,3) spatial_norm inner.norm0 inner.weight0 inner.norm1 inner.weight1 "
        "inner.add[3] relu_2 expand(8>8,1)"
    ) in written(graph, "s.2")
    source = {"branch": "s.1.spatial_norm", "block": "s.1.inner.add"}[taps]
    assert list(graph.dag.predecessors("s.2.inner.norm1")) == [source]


@pytest.mark.parametrize(
    ("block", "join", "fields", "message"),
    [
        ("basic", "projection", "stride: 1", "s.0: needs a width"),
        ("bottleneck", "projection", "groups: 2", "s.0: needs a width, or groups and group_width"),
        (
            "dense_layer",
            "{join: concat, grow: 4}",
            "width: 8",
            "s.0: under join 'concat' .* `grow`",
        ),
        ("basic", "{join: concat, grow: 4}", "width: 8, out: 4", "s.0: under join 'concat'"),
        ("basic", "{join: concat, grow: 4}", "width: 8, expand: 1", "s.0: under join 'concat'"),
        ("basic", "{join: concat, grow: 4}", "width: 8, stride: 2", "s.0.cat: maps of 8x32x32 and"),
        (
            "basic",
            "{join: concat, grow: 0}",
            "width: 8",
            "s.0.shortcut.grow: .* or equal to 1",
        ),
        ("basic", "{join: dual}", "width: 8", "s.0.shortcut.grow: this field is required"),
        ("basic", "{join: dual, grow: 4}", "width: [8, 4]", "s.1: zero channels cannot narrow 8"),
        ("basic", "{join: dense}", "width: [8, 4]", "s.1: zero channels cannot narrow 8 to 4"),
        (
            "basic",
            "{join: dense}",
            "width: 8, stride: [1, 2]",
            "s.1.dense.add: maps of 8x16x16 and",
        ),
        ("basic", "{join: dense, inner: true}", "width: 8", "s.0: block 'basic' has no inner 3x3"),
        ("basic", "{join: dense, norm: group}", "width: 8", "s.0.dense.norm0: 8 channels cannot"),
        (
            "basic",
            "{join: dense, groups: 4}",
            "width: 8",
            "s.0.shortcut: groups acts only",
        ),
        (
            "basic",
            "{join: dense, norm: none, affine: false}",
            "width: 8",
            "s.0.shortcut: affine acts",
        ),
        (
            "basic",
            "{join: add, source: activated}",
            "width: 8",
            "s.0: block 'basic' has no activated",
        ),
        ("basic_pyramid", "{join: add, source: activated}", "width: 8", "s.0: .* has no activated"),
        (
            "basic",
            "{join: add, widen: zeros}",
            "width: 4",
            "s.0: zero channels cannot narrow 8 to 4",
        ),
        (
            "basic",
            "{join: add, side: both}",
            "width: 8",
            "s.0.shortcut: side acts only",
        ),
        (
            "basic_preact",
            "{join: add, down: subsample, widen: zeros, source: activated}",
            "width: 8",
            "s.0.shortcut: source: activated acts only where a convolution is used",
        ),
    ],
)
def test_what_has_no_meaning_names_path_and_law(
    net: Make, block: str, join: str, fields: str, message: str
):
    with pytest.raises(ArchError, match=f": {message}") as caught:
        stack(net, block, join, fields)
    assert caught.value.line == 5


def test_grow_may_be_a_column(net: Make):
    rule = "{kind: additive, start: 4, alpha: 8}"
    graph = stack(net, "dense_layer", f"{{join: concat, grow: {rule}}}", "act: relu", "2")
    assert graph.calls[-1].shape[0] == 8 + 8 + 12


def test_all_joins_are_known():
    assert set(Join.kinds) == {"none", "add", "concat", "dual", "dense"}


def test_a_branch_that_gives_other_channels_than_asked_is_refused(net):
    class Short(Narrow, kind="short_for_test"):
        """Gives one channel less than it is asked for."""

        def build(self, x: Map, out: int) -> Map:
            return x.conv("conv", out - 1)

    try:
        for join in ("none", "projection", "{join: concat, grow: 4}", "{join: dense}"):
            width = "" if "concat" in join else ", width: 8"
            with pytest.raises(ArchError, match=r"'short_for_test' gives . channels where . are"):
                net(f"s: {{block: short_for_test, depth: 1{width}, shortcut: {join}}}").graph()
        with pytest.raises(ArchError, match=r"s.0.*slice|does not give the 12 channels"):
            net(
                "s: {block: short_for_test, depth: 1, width: 8, shortcut: {join: dual, grow: 4}}"
            ).graph()
    finally:
        del Block.kinds["short_for_test"]
