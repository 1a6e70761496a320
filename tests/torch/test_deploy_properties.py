"""Whatever the graph: folded, it is sound, gives the same and folds no further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from archgen.ops import Conv, DilatedPool, Op, Pool, Shape
from archgen.passes.fold import Sum, fold

pytestmark = pytest.mark.torch

Step = Callable[[Map], Map]
Unit = tuple[list[list[Step]], int]

STRIDES = (1, 2)
GROUPS = [(1, False), (2, True), (8, False)]
"""Groups of a convolution, and whether it has a bias."""
WINDOWS = [(1, 0, 1), (3, 1, 1), (3, 2, 2), (5, 2, 1), (3, 0, 1), (2, 0, 1)]
"""Kernel, padding and dilation; the last ones give smaller maps."""
CONVS = {
    stride: [
        Conv(8, 8, kernel, stride, padding, dilation, groups, bias)
        for kernel, padding, dilation in WINDOWS
        for groups, bias in GROUPS
    ]
    for stride in STRIDES
}
POOLS = {
    1: [Pool("avg", 2, 1), Pool("avg", 3, 1, padding=1), Pool("avg", 3, 1), DilatedPool(2)],
    2: [
        *(Pool("avg", 2, 2, ceil=ceil) for ceil in (False, True)),
        Pool("avg", 3, 2, padding=1),
        DilatedPool(2, 2),
        DilatedPool(2, 2, 2),
    ],
}
OTHERS: list[Step] = [
    lambda x: x.norm("norm"),
    lambda x: x.norm("norm", 0.1, affine=False),
    lambda x: x.dropout("dropout", 0.5),
    lambda x: x.act(),
    lambda x: x * x.gate("gate"),
]


def written_as(op: Op) -> Step:
    return lambda x: x.builder.add("op", op, x)


def one_of(ops: Sequence[Op]) -> st.SearchStrategy[Step]:
    return st.sampled_from([*map(written_as, ops)])


@st.composite
def branches(draw: st.DrawFn) -> list[list[Step]]:
    """Draw the branches of a unit: often a large convolution and what may go into it."""
    stride = draw(st.sampled_from(STRIDES))
    large = one_of([conv for conv in CONVS[stride] if conv.kernel == 5 or conv.padding == 1])
    point = one_of([conv for conv in CONVS[1] if conv.kernel == 1])
    pool = one_of(POOLS[stride])
    norms = st.lists(st.sampled_from(OTHERS[:2]), max_size=1)
    likely = [
        st.tuples(one_of(CONVS[stride])),
        st.tuples(one_of([conv for conv in CONVS[1] if conv.kernel > 1 > conv.padding])),
        st.tuples(pool),
        st.tuples(pool, point),
    ]
    step = one_of([*CONVS[1], *CONVS[2]]) | one_of([*POOLS[1], *POOLS[2]]) | st.sampled_from(OTHERS)
    parts = [*likely, st.lists(step, max_size=3)]
    drawn = [[draw(large)]] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        drawn.append([*draw(draw(st.sampled_from(parts))), *draw(norms)])
    return draw(st.permutations(drawn))


unit = st.tuples(branches(), st.integers(0, 3))


def written(units: list[Unit], side: int, tap: int) -> Graph:
    """Write units, each the sum of branches of one of the last four maps, where that is allowed.

    What is not read is returned, and now and then another map as well.
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
    left += [tap] if tap < len(builder.calls) and tap not in left else []
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


@torch.no_grad()
def same_maps(model: nn.Module, deployed: nn.Module, side: int) -> None:
    x = torch.randn(2, 8, side, side, dtype=torch.float64)
    results = [model(x), deployed(x)]
    wanted, ours = (y if isinstance(y, tuple) else (y,) for y in results)
    for here, there in zip(wanted, ours, strict=True):
        torch.testing.assert_close(there, here, rtol=0, atol=1e-9 * float(here.abs().max()))


def test_random_graphs_fold_exactly(fits: Callable[[Graph, Shape], bool]) -> None:
    """At their own size and at another: a built network takes any that the laws allow."""
    merged, elsewhere = [], []

    @settings(max_examples=300)
    @given(
        st.lists(unit, min_size=1, max_size=4),
        st.sampled_from([3, 4, 7, 8]),
        st.sampled_from([5, 6, 9]),
        st.integers(0, 30),
    )
    def folds(units: list[Unit], side: int, other: int, tap: int) -> None:
        torch.manual_seed(0)
        graph = written(units, side, tap)
        model, folded = lively(graph), fold(graph)
        check(folded.graph)
        again = fold(folded.graph)
        assert (again.graph.calls, again.kernels) == (folded.graph.calls, {})
        deployed = folded_module(folded, model.state_dict())
        same_maps(model, deployed, side)
        merged.append(any(isinstance(kernel, Sum) for kernel in folded.kernels.values()))
        elsewhere.append(merged[-1] and fits(graph, (8, other, other)))
        if fits(graph, (8, other, other)):
            same_maps(model, deployed, other)

    folds()
    assert sum(merged) > len(merged) / 8
    assert sum(elsewhere) > len(merged) / 12
