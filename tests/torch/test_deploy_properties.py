"""Whatever the graph: folded, it is sound, gives the same and folds no further."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from archgen.codegen import source
from archgen.errors import ArchError
from archgen.graph import Builder, Graph, Map, add, check
from archgen.nn.folding import folded_module
from archgen.nn.module import compiled, empty
from archgen.ops import Conv, DilatedPool, Op, Pool
from archgen.passes.fold import Sum, fold

pytestmark = pytest.mark.torch

Step = Callable[[Map], Map]
Unit = tuple[list[list[Step]], int]

CONVS = [
    Conv(8, 8, kernel, stride, padding, dilation, groups, bias)
    for kernel, padding, dilation in [(1, 0, 1), (1, 0, 1), (3, 1, 1), (3, 2, 2), (5, 2, 1)]
    for stride in (1, 2)
    for groups, bias in [(1, False), (2, True), (8, False)]
]
POOLS = [
    *(Pool("avg", 2, stride, ceil=ceil) for stride in (1, 2) for ceil in (False, True)),
    Pool("avg", 3, 1, padding=1),
    DilatedPool(2),
    DilatedPool(2, 2, 2),
]
OTHERS: list[Step] = [
    lambda x: x.norm("norm"),
    lambda x: x.norm("norm", 0.1, affine=False),
    lambda x: x.dropout("dropout", 0.5),
    lambda x: x.act(),
    lambda x: x * x.gate("gate"),
]


def written_as(op: Op) -> Step:
    return lambda x: x.builder.add("op", op, x)


def one_of(ops: list[Op]) -> st.SearchStrategy[Step]:
    return st.sampled_from([*map(written_as, ops)])


branch = st.lists(one_of([*CONVS]) | one_of([*POOLS]) | st.sampled_from(OTHERS), max_size=3)
unit = st.tuples(st.lists(branch, min_size=1, max_size=4), st.integers(0, 3))


def written(units: list[Unit], side: int) -> Graph:
    """Write units, each the sum of branches of one of the last four maps, where that is allowed.

    What is not read is returned.
    """
    builder = Builder((8, side, side))
    maps = [builder.input]
    for number, (branches, back) in enumerate(units):
        x = maps[-1 - back % len(maps)]
        ends = [x] * len(branches)
        with builder.scope(f"unit{number}"):
            for index, steps in enumerate(branches):
                for step, write in enumerate(steps):
                    with suppress(ArchError), builder.scope(f"branch{index}_{step}"):
                        ends[index] = write(ends[index])
            maps.append(add([y for y in ends if y.shape == ends[0].shape]))
    read = {index for call in builder.calls for index in call.inputs}
    left = [i for i in range(len(builder.calls)) if i not in read]
    return builder.graph("hand", [Map(builder, i, builder.calls[i].shape) for i in left])


@torch.no_grad()
def lively(graph: Graph) -> nn.Module:
    """Make the module of a graph with random numbers everywhere."""
    model = empty(compiled(source(graph), graph.name)).double().eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            variance = name.endswith("running_var")
            tensor.copy_(torch.rand_like(tensor) + 0.5 if variance else torch.randn_like(tensor))
    return model


def test_random_graphs_fold_exactly() -> None:
    merged = []

    @settings(max_examples=200)
    @given(st.lists(unit, min_size=1, max_size=4), st.sampled_from([1, 4, 7]))
    def folds(units: list[Unit], side: int) -> None:
        torch.manual_seed(0)
        graph = written(units, side)
        model, folded = lively(graph), fold(graph)
        check(folded.graph)
        again = fold(folded.graph)
        assert (again.graph.calls, again.kernels) == (folded.graph.calls, {})
        x = torch.randn(2, 8, side, side, dtype=torch.float64)
        with torch.no_grad():
            results = [model(x), folded_module(folded, model.state_dict())(x)]
        wanted, ours = (y if isinstance(y, tuple) else (y,) for y in results)
        for here, there in zip(wanted, ours, strict=True):
            torch.testing.assert_close(there, here, rtol=0, atol=1e-9 * float(here.abs().max()))
        merged.append(any(isinstance(kernel, Sum) for kernel in folded.kernels.values()))

    folds()
    assert sum(merged) > len(merged) / 10
