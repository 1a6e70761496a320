"""The output-stride pass; tests/torch/test_output_stride.py checks its law with numbers."""

from __future__ import annotations

import pytest

from archgen import files, load
from archgen.analysis import cost, strides
from archgen.errors import ArchError
from archgen.graph import Builder, Graph, check
from archgen.ops import Conv, DilatedPool, Frame, Pool
from archgen.passes.output_stride import limit_stride

CHAIN = "s: {block: conv_norm, depth: 4, width: 8, stride: [2, 2, 2, 1]}"
RESNET = (
    "stem: {block: conv_pool, width: 8}",
    "s: {block: bottleneck, depth: [2, 2, 2, 2], width: [4, 8, 16, 32], stride: [1, 2, 2, 2],"
    " shortcut: projection}",
    "head: {block: pool_linear, classes: 10}",
)


def convs(graph: Graph, name: str) -> list[tuple[int, int, int]]:
    """Give stride, dilation and padding of each convolution of some name."""
    ops = [call.op for call in graph.calls if call.name.endswith(f".{name}")]
    return [(op.stride, op.dilation, op.padding) for op in ops if isinstance(op, Conv)]


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        (None, [(2, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 1)]),
        (8, [(2, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 1)]),
        (4, [(2, 1, 1), (2, 1, 1), (1, 1, 1), (1, 2, 2)]),
        (2, [(2, 1, 1), (1, 1, 1), (1, 2, 2), (1, 4, 4)]),
        (1, [(1, 1, 1), (1, 2, 2), (1, 4, 4), (1, 8, 8)]),
    ],
)
def test_cut_strides_become_rates_of_what_follows(net, limit: int | None, wanted: list):
    graph = net(CHAIN, **({"output_stride": limit} if limit else {})).graph()
    assert convs(graph, "conv") == wanted
    assert graph.calls[-1].shape[1] == 32 // min(limit or 8, 8)
    check(graph)


def test_a_stride_is_cut_only_as_far_as_it_must_be(net):
    two = net("s: {block: conv_norm, depth: [1, 1], width: 8, stride: [4, 4]}", output_stride=8)
    assert convs(two.graph(), "conv") == [(4, 1, 1), (2, 1, 1)]
    assert two.graph().calls[-1].shape == (8, 4, 4)


def test_branches_of_equal_stride_are_cut_to_equal_sizes(net):
    graph = net(
        "stem: {block: conv, width: 8}",
        "a: {from: stem, block: conv, width: 8, stride: 4}",
        "b: {from: stem, block: conv, depth: [1, 1], width: 8, stride: [2, 2]}",
        "both: {from: [a, b], block: sum}",
        output_stride=2,
    ).graph()
    assert graph.calls[-1].shape == (8, 16, 16)
    check(graph)


def test_a_dilated_resnet_has_the_same_weights_and_larger_maps(net):
    plain = net(*RESNET, image=(3, 224, 224)).graph()
    dense = net(*RESNET, image=(3, 224, 224), output_stride=8).graph()
    assert [(n, s) for n, _, s in dense.params()] == [(n, s) for n, _, s in plain.params()]
    assert cost(dense).params == cost(plain).params
    shapes = {call.name: call.shape for call in dense.calls}
    assert shapes["s.3.1.add"] == (128, 28, 28)
    assert convs(dense, "spatial")[2:] == [
        (2, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 2, 2),
        (1, 2, 2),
        (1, 4, 4),
    ]
    # A 1x1 kernel has nothing to dilate.
    assert {dilation for _, dilation, _ in convs(dense, "reduce") + convs(dense, "conv")} == {1}


def test_subsampling_shortcuts_are_cut_with_their_branch(net, written):
    node = "s: {block: basic, depth: [1, 1], width: [8, 16], stride: 2, shortcut: zero_pad}"
    graph = net("stem: {block: conv, width: 4}", node, output_stride=2).graph()
    assert "subsample(1) pad(4,4)" in written(graph, "s.1.0")
    assert graph.calls[-1].shape == (16, 16, 16)


def test_a_max_pool_is_cut(net):
    graph = net("stem: {block: conv_pool, width: 8}", CHAIN, output_stride=2).graph()
    pool = next(call.op for call in graph.calls if isinstance(call.op, Pool))
    assert pool == Pool("max", 3, 1, 1)
    assert convs(graph, "conv")[1] == (1, 2, 2)
    assert graph.calls[-1].shape == (8, 16, 16)


def test_a_max_pool_keeps_its_padding_in_input_pixels(net):
    graph = net("stem: {block: conv_pool, width: 8}", output_stride=1).graph()
    assert [call.op for call in graph.calls[-2:]] == [Frame(2), Pool("max", 3, 1, dilation=2)]
    assert graph.calls[-1].shape == (8, 32, 32)
    check(graph)


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        (12, [Pool("avg", 2, 2), Pool("avg", 3, 3)]),
        (4, [Pool("avg", 2, 2), DilatedPool(3, 1, 1)]),
        (2, [DilatedPool(2, 1, 1), DilatedPool(3, 1, 2)]),
        (6, [DilatedPool(2, 1, 1), DilatedPool(3, 3, 2)]),
    ],
)
def test_an_average_pool_is_cut_and_its_windows_spread_out(net, limit: int, wanted: list):
    """Its stride is kept or cut as a convolution's; it gives maps of the same size."""
    graph = net(
        "stem: {block: conv_norm, width: 8, stride: 2}",
        "a: {block: repvgg_sse, width: 16, stride: 2}",
        "b: {block: repvgg_sse, width: 16, stride: 3}",
        image=(3, 48, 48),
    ).graph()
    dense = limit_stride(graph, limit)
    check(dense)
    assert [call.op for call in dense.calls if call.name.endswith("avg_pool")] == wanted
    assert [name for name, *_ in dense.params()] == [name for name, *_ in graph.params()]


@pytest.mark.parametrize(
    "node",
    [
        # Ceil mode: the last window is cut, and its divisor with it.
        "s: {block: basic, depth: 1, width: 8, stride: 2,"
        " shortcut: {join: add, down: avg_pool, widen: zeros}}",
        # Floor mode: the last row is not read.
        "s: {block: transition}",
    ],
)
def test_an_average_pool_that_does_not_tile_its_map_is_refused(net, node: str):
    message = (
        r"^<text>:3: s\.(0\.)?avg_pool: output_stride cannot cut this average pool exactly: "
        r"windows of 2 with stride 2 do not tile a map of [48]x15x15; use an input that the "
        r"strides divide$"
    )
    nodes = ("stem: {block: conv_norm, width: 8, stride: 2}", node)
    assert net(*nodes, image=(3, 30, 30), output_stride=4).graph()
    with pytest.raises(ArchError, match=message):
        net(*nodes, image=(3, 30, 30), output_stride=2).graph()


@pytest.mark.parametrize("pool", [Pool("avg", 3, 2, 1), Pool("avg", 3, 2), Pool("avg", 3, 1)])
def test_windows_that_overlap_the_edge_are_refused(pool: Pool):
    builder = Builder((4, 8, 8))
    x = builder.input.conv("conv", 4, 3, stride=2)
    graph = builder.graph("g", [builder.add("avg_pool", pool, x)])
    with pytest.raises(ArchError, match="do not tile a map of 4x4x4"):
        limit_stride(graph, 1)


def test_dilations_past_the_limit_are_refused(net):
    """PyTorch would pad a small map to gigabytes."""
    node = "s: {block: conv_norm, depth: [1, 1, 1, 1], width: 8, stride: %s}"
    assert convs(net(node % "[4, 4, 4, 1]", output_stride=1).graph(), "conv")[-1] == (1, 64, 64)
    message = (
        r"^<text>:3: s\.3\.0\.conv: output_stride dilates this 128 times, past the limit of 64; "
        r"use a larger output_stride$"
    )
    with pytest.raises(ArchError, match=message):
        net(node % "[4, 4, 8, 1]", output_stride=1).graph()
    assert net(node % "[4, 4, 8, 1]", output_stride=2).graph()
    pool = "p: {block: conv_pool, width: 8}"
    with pytest.raises(ArchError, match=r"p\.max_pool: output_stride dilates this 128 times"):
        net("s: {block: conv, depth: [1, 1], width: 8, stride: 8}", pool, output_stride=1).graph()


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_shipped_network_takes_every_limit(name: str):
    """The same parameters, maps of the right size, and the same in two steps as in one."""
    graph = load(name).graph()
    weights = [(name, shape) for name, _, shape in graph.params()]
    side = graph.calls[0].shape[1]
    for limit in (16, 8, 4, 2, 1):
        dense = limit_stride(graph, limit)
        check(dense)
        assert [(name, shape) for name, _, shape in dense.params()] == weights
        shapes = {call.name: call.shape for call in dense.calls}
        for call, stride in zip(graph.calls, strides(graph), strict=True):
            assert not stride or shapes[call.name][1] == side // min(limit, stride)
        assert limit_stride(dense, limit).calls == dense.calls
        assert limit_stride(limit_stride(graph, 16), limit).calls == dense.calls


@pytest.mark.parametrize("limit", [0, 3, 64, -8, "high", "'8'", "[8]", "true"])
def test_only_powers_of_two_up_to_32(net, limit: object):
    with pytest.raises(ArchError, match=r"^<text>:3: output_stride: "):
        net(CHAIN, output_stride=limit)


def test_a_graph_within_the_limit_stays_as_it_is(net):
    graph = net(*RESNET, image=(3, 224, 224)).graph()
    assert limit_stride(graph, 32).calls == graph.calls


def test_dual_paths_are_dilated_as_well(net):
    node = (
        "s: {block: bottleneck_preact, depth: [2, 2], width: 8, stride: [1, 2], groups: 2,"
        " shortcut: {join: dual, grow: 4}}"
    )
    plain = net("stem: {block: conv, width: 8}", node).graph()
    dense = net("stem: {block: conv, width: 8}", node, output_stride=1).graph()
    assert dense.calls[-1].shape == (plain.calls[-1].shape[0], 32, 32)
    assert convs(dense, "spatial")[2:] == [(1, 1, 1), (1, 2, 2)]
