"""Residual branches against their papers: operations in order, names, and where numbers act."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archgen.errors import ArchError
from archgen.graph import Graph
from archgen.spec import Net

STEM = "stem: {block: conv, width: 8}"

# Each with stride 2 and, where it has groups, 4 of them: 8 -> 16 channels (inner width 16).
PUBLISHED = {
    # He et al. 2015, figure 5; the stride on the 3x3 as all train it today.
    "basic": "conv1(8>16,3/2) norm1 relu conv2(16>16,3) norm2 relu_2",
    "bottleneck": (
        "reduce(8>16,1) reduce_norm relu spatial(16>16,3/2g4) spatial_norm relu_2 "
        "expand(16>64,1) expand_norm relu_3"
    ),
    # He et al. 2016, figure 1b.
    "basic_preact": "norm1 relu conv1(8>16,3/2) norm2 relu_2 conv2(16>16,3)",
    "bottleneck_preact": (
        "reduce_norm relu reduce(8>16,1) spatial_norm relu_2 spatial(16>16,3/2g4) "
        "expand_norm relu_3 expand(16>64,1)"
    ),
    "bottleneck_preact_split": (
        "reduce_norm relu reduce(8>16,1) spatial_norm relu_2 spatial(16>16,3/2g4) "
        "expand_norm relu_3 expand(16>64,1)"
    ),
    # Han et al. 2017, figure 6d: no activation first, a norm last, none after the addition.
    "basic_pyramid": "norm1 conv1(8>16,3/2) norm2 relu conv2(16>16,3) norm3",
    "bottleneck_pyramid": (
        "reduce_norm reduce(8>16,1) spatial_norm relu spatial(16>16,3/2g4) expand_norm relu_2 "
        "expand(16>64,1) out_norm"
    ),
    # Ding et al. 2021, figure 2b.
    "repvgg": "spatial(8>16,3/2g4) spatial_norm pointwise(8>16,1/2g4) pointwise_norm add[2] relu",
    # Goyal et al. 2021: the downsampling block.
    "repvgg_sse": (
        "spatial(8>16,3/2) spatial_norm avg_pool(2/2) pointwise(8>16,1) pointwise_norm add[2] "
        "mean gate(8>16,1) sigmoid mul times silu"
    ),
    "conv_norm": "conv(8>16,3/2g4) norm relu",
    "conv": "conv(8>16,3/2)",
}
GROUPED = [block for block, text in PUBLISHED.items() if "g4" in text]


def unit(net: Callable[..., Net], block: str, fields: str) -> Graph:
    return net(STEM, f"s: {{block: {block}, {fields}}}").graph()


@pytest.mark.parametrize("block", PUBLISHED)
def test_operations(net, written, block: str):
    groups = ", groups: 4" if block in GROUPED else ""
    graph = unit(net, block, f"width: 16, stride: 2{groups}")
    assert written(graph, "s") == PUBLISHED[block]


@pytest.mark.parametrize("block", sorted(PUBLISHED.keys() - {"conv", "repvgg_sse"}))
def test_a_dilation_acts_on_every_3x3_and_keeps_the_size(net, block: str):
    graph = unit(net, block, "width: 16, dilation: 2")
    convs = [call.op for call in graph.calls if call.name.startswith("s.") and call.op.weighted]
    assert {op.dilation for op in convs if op.kernel == 3} == {2}
    assert {op.dilation for op in convs if op.kernel == 1} <= {1}
    assert graph.calls[-1].shape[1:] == (32, 32)


@pytest.mark.parametrize("block", ["bottleneck", "bottleneck_preact", "bottleneck_pyramid"])
def test_width_groups_and_outlet(net, block: str):
    def shape(fields: str) -> tuple[int, int]:
        graph = unit(net, block, fields)
        spatial = next(call for call in graph.calls if call.name == "s.spatial")
        return spatial.op.out, graph.calls[-1].shape[0]

    assert shape("width: 16") == (16, 64)
    assert shape("width: 16, expand: 2") == (16, 32)
    assert shape("width: 16, out: 40") == (16, 40)
    assert shape("groups: 4, group_width: 3") == (12, 48)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("width: 16, expand: 2, out: 40", "give either out or expand"),
        ("width: 16, groups: 4, group_width: 4", "give either width or group_width"),
        ("width: 10, groups: 4", "s.spatial: 10 -> 10 channels cannot be split into 4 groups"),
        ("groups: 4", "needs a width, or groups and group_width"),
        ("width: 16, stride: 17", "s.stride: .* less than or equal to 16"),
        ("width: 16, act: swish", "s.act: .*'silu'.*, not 'swish'"),
    ],
)
def test_contradictions(net, fields: str, message: str):
    with pytest.raises(ArchError, match=message):
        unit(net, "bottleneck", fields)


def test_wide_resnets_dropout_is_between_the_convolutions(net, written):
    text = written(unit(net, "basic_preact", "width: 16, dropout: 0.3"), "s")
    assert text == "norm1 relu conv1(8>16,3) norm2 relu_2 dropout conv2(16>16,3)"


def test_repvgg_has_an_identity_where_the_shape_stays(net, written):
    assert written(unit(net, "repvgg", "width: 8"), "s") == (
        "spatial(8>8,3) spatial_norm pointwise(8>8,1) pointwise_norm identity_norm add[3] relu"
    )
    assert "identity" not in written(unit(net, "repvgg", "width: 8, stride: 2"), "s")


def test_the_sse_gate_reads_the_normalised_identity(net, written):
    graph = unit(net, "repvgg_sse", "width: 8")
    assert written(graph, "s") == (
        "identity_norm spatial(8>8,3) spatial_norm pointwise(8>8,1) pointwise_norm mean "
        "gate(8>8,1) sigmoid mul add[3] silu"
    )
    assert list(graph.dag.predecessors("s.mean")) == ["s.identity_norm"]
    assert set(graph.dag.predecessors("s.mul")) == {"s.identity_norm", "s.sigmoid"}


def test_the_downsampling_gate_reads_the_raw_input_and_is_doubled(net):
    graph = unit(net, "repvgg_sse", "width: 16, stride: 2")
    assert list(graph.dag.predecessors("s.mean")) == ["stem.conv"]
    assert set(graph.dag.predecessors("s.mul")) == {"s.add", "s.sigmoid"}
    assert next(call.op.factor for call in graph.calls if call.name == "s.times") == 2.0


def test_fields_reach_every_norm_and_activation(net):
    for block in PUBLISHED.keys() - {"conv"}:
        graph = unit(net, block, "width: 16, eps: 0.25, act: gelu")
        ops = [repr(call.op) for call in graph.calls if call.name.startswith("s.")]
        norms = [op for op in ops if op.startswith("Norm")]
        assert norms
        assert all("eps=0.25" in op for op in norms)
        assert {op for op in ops if op.startswith("Act")} <= {
            "Act(kind='gelu')",
            "Act(kind='sigmoid')",
        }
