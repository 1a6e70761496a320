"""How many input pixels a pixel of a map stands for."""

from __future__ import annotations

import pytest

from archgen import files, load
from archgen.analysis import strides
from archgen.graph import Builder


def test_strides_multiply_and_are_lost_behind_a_mean():
    builder = Builder((4, 12, 12))
    x = builder.input.conv("conv", 4, 3, stride=2).max_pool(3, 3, 1)
    gated = x * x.gate("gate")
    graph = builder.graph("g", [gated, gated.mean().flatten().linear("linear", 5)])
    found = dict(zip([call.name for call in graph.calls], strides(graph), strict=True))
    assert [found[name] for name in ("input", "conv", "max_pool", "mul")] == [1, 2, 6, 6]
    assert [found[name] for name in ("mean", "gate", "sigmoid", "flatten", "linear")] == [0] * 5


def test_where_maps_of_different_strides_meet_it_is_the_largest():
    builder = Builder((4, 3, 3))
    coarse = builder.input.conv("a", 4, 3, stride=3)
    fine = builder.input.conv("b", 4, 3, stride=2).max_pool(2, 2)
    for first, second in ((coarse, fine), (fine, coarse)):
        assert first.shape == second.shape
        assert strides(builder.graph("g", [first + second]))[-1] == 4


@pytest.mark.parametrize("name", files.names("specs"))
def test_maps_are_as_much_smaller(name: str):
    graph = load(name).graph()
    height = graph.calls[0].shape[1]
    for call, stride in zip(graph.calls, strides(graph), strict=True):
        assert not stride or call.shape[1] == height // stride
