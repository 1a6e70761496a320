"""Bound the output stride: cut strides past it and dilate what follows instead.

The law (arXiv:1705.09914, section 2): the dense map, taken at every s-th position, is the map of
the strided network. It is exact where no operation before the map sees all of it: a gate's mean
and a group norm are taken over other pixels in a larger map.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from archgen.errors import ArchError
from archgen.graph import Call, Graph
from archgen.ops import (
    MAX_DILATION,
    Conv,
    DilatedPool,
    Frame,
    Law,
    Op,
    Pool,
    Shape,
    Subsample,
    size,
)


def limit_stride(graph: Graph, limit: int) -> Graph:
    """Give the graph whose maps are at most `limit` times smaller than the input.

    A convolution or max pool whose stride would go past the limit keeps what of it fits; it
    and all that follows multiply dilation and padding by the strides cut before. An average pool
    becomes a `DilatedPool`, and a max pool whose padding grows past what PyTorch takes gets a
    `Frame`. Taking every s-th pixel takes more of them.

    Args:
        graph: Any graph.
        limit: The largest stride, in input pixels a map pixel.

    Raises:
        ArchError: The windows of an average pool that would have to be cut or dilated do not
            tile its map, so that the law could not hold at the edge; or a window would be
            dilated past `MAX_DILATION`.
    """
    calls: list[Call] = []
    place: list[int] = []
    strides: list[int] = []
    rates: list[int] = []
    for call in graph.calls:
        stride = max((strides[i] for i in call.inputs), default=1)
        rate = max((rates[i] for i in call.inputs), default=1)
        step = getattr(call.op, "stride", 1)
        kept = gcd(step, max(1, limit // stride))
        inputs = tuple(place[i] for i in call.inputs)
        try:
            ops = _dilated(graph, call, rate, kept) if kept < step or rate > 1 else [call.op]
            for op in ops:
                _must_be_near(op)
                name = call.name if op is ops[-1] else f"{call.name}_frame"
                shape = op.shape(*[calls[i].shape for i in inputs])
                calls.append(Call(name, op, inputs, shape))
                inputs = (len(calls) - 1,)
        except Law as law:
            raise ArchError(call.name, law.message, field=law.field) from None
        place.append(len(calls) - 1)
        strides.append(stride * kept)
        rates.append(rate * (step // kept))
    outputs = tuple(place[end] for end in graph.outputs)
    return Graph(graph.name, tuple(calls), outputs, graph.labels)


def _dilated(graph: Graph, call: Call, rate: int, stride: int) -> list[Op]:
    """Give what takes the place of an operation, one reading the other."""
    op = call.op
    match op:
        case Pool(kind="max") if op.padding * rate > op.kernel // 2:
            pool = replace(op, stride=stride, padding=0, dilation=op.dilation * rate)
            return [Frame(op.padding * rate), pool]
        case Conv() | Pool(kind="max"):
            dilation = op.dilation * rate if op.kernel > 1 else 1
            return [replace(op, stride=stride, padding=op.padding * rate, dilation=dilation)]
        case Frame():
            return [Frame(op.width * rate)]
        case Pool():
            _must_tile(op, graph.calls[call.inputs[0]].shape, call.shape)
            return [DilatedPool(op.kernel, stride, rate)]
        case DilatedPool():
            return [replace(op, stride=stride, dilation=op.dilation * rate)]
        case Subsample():
            return [replace(op, stride=stride)]
    return [op]


def _must_be_near(op: Op) -> None:
    """See that a window is not spread over more than any map: its padding alone fills memory."""
    dilation = getattr(op, "dilation", 1)
    if dilation > MAX_DILATION:
        raise Law(
            f"output_stride dilates this {dilation} times, past the limit of {MAX_DILATION}; use a "
            "larger output_stride",
            "output_stride",
        )


def _must_tile(pool: Pool, before: Shape, after: Shape) -> None:
    """See that windows begin at every `stride`-th pixel of a map and end inside it."""
    for side, count in zip(before[1:], after[1:], strict=True):
        ends = (count - 1) * pool.stride + pool.kernel
        if pool.padding or ends > side or count != -(-side // pool.stride):
            raise Law(
                f"output_stride cannot cut this average pool exactly: windows of {pool.kernel} "
                f"with stride {pool.stride} do not tile a map of {size(before)}; use an input "
                "that the strides divide",
                "output_stride",
            )
