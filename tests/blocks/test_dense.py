"""DenseNet's layers and transition (Huang et al. 2017) and ParNet's fusion (Goyal et al. 2021)."""

from __future__ import annotations

import pytest

from archgen.errors import ArchError

STEM = "stem: {block: conv, width: 24}"


def test_layers(net, written):
    join = "shortcut: {join: concat, grow: 12}"
    graph = net(STEM, f"s: {{block: dense_layer, depth: 1, {join}}}").graph()
    assert written(graph, "s.0") == "norm relu conv(24>12,3) cat[2]"
    graph = net(STEM, f"s: {{block: dense_bottleneck, depth: 1, {join}}}").graph()
    assert written(graph, "s.0") == (
        "reduce_norm relu reduce(24>48,1) spatial_norm relu_2 spatial(48>12,3) cat[2]"
    )


def test_dropout_is_last(net, written):
    join = "shortcut: {join: concat, grow: 12}"
    for block in ("dense_layer", "dense_bottleneck"):
        graph = net(STEM, f"s: {{block: {block}, depth: 1, dropout: 0.2, {join}}}").graph()
        assert written(graph, "s.0").endswith(
            "(24>12,3) dropout cat[2]" if block == "dense_layer" else "(48>12,3) dropout cat[2]"
        )


@pytest.mark.parametrize(("theta", "out"), [(0.5, 12), (1.0, 24), (0.3, 7), (0.65, 15), (0.01, 1)])
def test_transition_compresses_to_the_floor(net, written, theta: float, out: int):
    graph = net(STEM, f"t: {{block: transition, theta: {theta}}}").graph()
    assert written(graph, "t") == f"norm relu conv(24>{out},1) avg_pool(2/2)"
    assert graph.calls[-1].shape == (out, 16, 16)


def test_between_stands_before_every_stage_but_the_first(net, written):
    graph = net(
        STEM,
        "s: {block: dense_layer, depth: [1, 2], shortcut: {join: concat, grow: 4},"
        " between: {block: transition}}",
    ).graph()
    assert written(graph, "s") == (
        "0.0.norm 0.0.relu 0.0.conv(24>4,3) 0.0.cat[2] "
        "1.0.norm 1.0.relu 1.0.conv(28>14,1) 1.0.avg_pool(2/2) "
        "1.1.norm 1.1.relu 1.1.conv(14>4,3) 1.1.cat[2] "
        "1.2.norm 1.2.relu 1.2.conv(18>4,3) 1.2.cat[2]"
    )
    assert graph.labels["s.1.0"] == "transition"


def test_parnets_fusion(net, written):
    """Goyal et al. 2021; the stream named first takes the even channels."""
    graph = net(
        "a: {block: conv, width: 8}",
        "b: {block: conv, width: 8}",
        "f: {block: parnet_fuse, from: [b, a], width: 12, stride: 2}",
    ).graph()
    assert written(graph, "f") == (
        "stream_norm fused_norm cat[2] shuffle spatial(16>12,3/2g2) spatial_norm avg_pool(2/2) "
        "pointwise(16>12,1g2) pointwise_norm add[2] mean gate(16>12,1g2) sigmoid mul times "
        "silu shuffle_2"
    )
    names = [call.name for call in graph.calls]
    cat = graph.calls[names.index("f.cat")]
    assert [names[i] for i in cat.inputs] == ["f.stream_norm", "f.fused_norm"]
    assert list(graph.dag.predecessors("f.stream_norm")) == ["b.conv"]


def test_a_fusion_without_stride_has_no_pool_and_keeps_the_width(net, written):
    graph = net(
        "a: {block: conv, width: 8}",
        "b: {block: conv, width: 8}",
        "f: {block: parnet_fuse, from: [b, a]}",
    ).graph()
    assert "avg_pool" not in written(graph, "f")
    assert graph.calls[-1].shape == (8, 32, 32)


@pytest.mark.parametrize(
    ("width", "fuse", "message"),
    [
        (6, "from: [a, b]", "^<text>:6: f: 8 and 6 channels cannot interleave"),
        (8, "from: [a, b, a]", "^<text>:6: f: reads two maps, not 3"),
        (8, "from: [a, b], width: 5", "f.spatial: 16 -> 5 channels cannot be split into 2"),
        (8, "from: [a]", "nodes.f.from: block 'parnet_fuse' reads several maps"),
    ],
)
def test_fusions_refuse(net, width: int, fuse: str, message: str):
    make = lambda: net(  # noqa: E731
        "a: {block: conv, width: 8}",
        f"b: {{block: conv, width: {width}, from: input}}",
        f"f: {{block: parnet_fuse, {fuse}}}",
    ).graph()
    with pytest.raises(ArchError, match=message):
        make()


def test_plain_fusions(net, written):
    nodes = ("a: {block: conv, width: 8}", "b: {block: conv, width: 8}")
    total = net(*nodes, "f: {block: sum, from: [a, b, a]}").graph()
    assert (written(total, "f"), total.calls[-1].shape) == ("add[3]", (8, 32, 32))
    stacked = net(*nodes, "f: {block: concat, from: [b, a]}").graph()
    assert (written(stacked, "f"), stacked.calls[-1].shape) == ("cat[2]", (16, 32, 32))
    assert [stacked.calls[i].name for i in stacked.calls[-1].inputs] == ["b.conv", "a.conv"]
