"""Receptive fields, against published ones and by hand; against modules in tests/torch."""

from __future__ import annotations

import pytest

from archgen import files, load
from archgen.analysis import Field, receptive_field, receptive_fields, strides
from archgen.graph import Builder, Graph, Map
from archgen.ops import Conv, Pool
from archgen.passes.fold import fold

VGG16 = [(3, 1, 1), (3, 1, 1), (2, 2, 0)] * 2 + [*[(3, 1, 1)] * 3, (2, 2, 0)] * 3
ALEXNET = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0), *[(3, 1, 1)] * 3, (3, 2, 0)]


def field(graph: Graph, name: str) -> Field | None:
    return receptive_fields(graph)[[call.name for call in graph.calls].index(name)]


def chain(windows: list[tuple[int, int, int]]) -> Graph:
    """Convolutions of some kernels, strides and paddings, one behind the other."""
    builder = Builder((4, 231, 231))
    x = builder.input
    for number, (kernel, stride, padding) in enumerate(windows):
        x = builder.add(f"conv_{number}", Conv(4, 4, kernel, stride, padding), x)
    return builder.graph("chain", [x])


@pytest.mark.parametrize(
    ("windows", "published"),
    [(ALEXNET, Field(195, 32, -64)), (VGG16, Field(212, 32, -90))],
    ids=["AlexNet v2", "VGG-16"],
)
def test_published_fields(windows: list[tuple[int, int, int]], published: Field):
    """The table of Araujo et al., Distill 2019: size, effective stride and effective padding."""
    assert receptive_fields(chain(windows))[-1] == published


@pytest.mark.parametrize(
    ("name", "side"),
    [
        # 7 + 4 of the stem; then 2 * 4, 8, 16 and 32 for each 3x3 convolution but the first of a
        # later stage, which reads the map before it: 4, 8 and 16.
        ("resnet18", 11 + 4 * 8 + 8 + 3 * 16 + 16 + 3 * 32 + 32 + 3 * 64),
        ("resnet50", 11 + 3 * 8 + 8 + 3 * 16 + 16 + 5 * 32 + 32 + 2 * 64),
        ("densenet121", 11 + 6 * 8 + 4 + 12 * 16 + 8 + 24 * 32 + 16 + 16 * 64),
        ("preresnet110_cifar", 3 + 36 * 2 + 2 + 35 * 4 + 4 + 35 * 8),
        # 7, 4 and 2 + 4 of the levels before the stages; dilations 2, 4, 2 and 1 on maps of 8.
        ("drn_c_26", 11 + 2 + 4 + 4 + 3 * 8 + 8 + 3 * 16 + 16 * (4 * 2 + 4 * 4 + 2 * 2 + 2)),
        # ResNet-18's first two stages; then units of dilation 1, 2, 1 and 4 on maps of 8.
        ("drn_a_18", 11 + 4 * 8 + 8 + 3 * 16 + 16 * 2 * (1 + 2 + 1 + 4)),
    ],
)
def test_shipped_specs(name: str, side: int):
    assert receptive_field(load(name)) == side


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_has_one(name: str):
    graph = load(name).graph()
    fields = receptive_fields(graph)
    assert receptive_field(graph) is not None
    for found, stride in zip(fields, strides(graph), strict=True):
        assert (found.stride if found else 0) == stride


def test_the_field_of_a_sum_is_the_hull():
    builder = Builder((4, 32, 32))
    x = builder.input
    wide = x.conv("wide", 4, 5, stride=2)
    dilated = x.conv("dilated", 4, 3, stride=2, dilation=4)
    ahead = builder.add("ahead", Pool("avg", 2, 2), x)
    graph = builder.graph("g", [wide + ahead, wide.cat(dilated), x.subsample(2) + ahead])
    assert field(graph, "wide") == Field(5, 2, -2)
    assert field(graph, "dilated") == Field(9, 2, -4)
    assert field(graph, "ahead") == Field(2, 2, 0)
    assert field(graph, "add") == Field(5, 2, -2)
    assert field(graph, "cat") == Field(9, 2, -4)
    assert field(graph, "add_2") == Field(2, 2, 0)


def gated(x: Map) -> Map:
    return x * x.gate("gate")


def test_what_scales_a_map_is_not_seen():
    builder = Builder((4, 8, 8))
    x = builder.input.conv("conv", 4, 3)
    graph = builder.graph("g", [gated(x).group_norm("norm", 2).mean().flatten()])
    assert field(graph, "norm") == Field(3, 1, -1)
    assert [field(graph, name) for name in ("mean", "gate", "mean_2", "flatten")] == [None] * 4
    assert receptive_field(graph) == 3


def test_where_strides_differ_there_is_no_one_field():
    builder = Builder((4, 3, 3))
    coarse = builder.input.conv("coarse", 4, 3, stride=3)
    fine = builder.input.conv("fine", 4, 3, stride=2).max_pool(2, 2)
    graph = builder.graph("g", [(coarse + fine).conv("last", 4, 3)])
    assert field(graph, "coarse") is not None
    assert field(graph, "add") is None
    assert receptive_field(graph) is None


@pytest.mark.parametrize(
    "name", ["resnet50", "dpn68", "densenet121", "parnet_s", "pyramidnet200_a300_imagenet"]
)
def test_output_stride_leaves_the_field_as_it_is(name: str):
    net = load(name)
    assert receptive_field(net.set({"output_stride": 8})) == receptive_field(net)


@pytest.mark.parametrize("name", ["repvgg_a0", "parnet_s", "dpn68", "drn_c_26"])
def test_folding_leaves_the_field_as_it_is(name: str):
    graph = load(name).graph()
    assert receptive_field(fold(graph).graph) == receptive_field(graph)
