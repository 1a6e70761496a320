"""Bound the output stride: cut strides past it and dilate what follows instead.

The law, exact where no padding or global operation is in between: the dense map, taken at
every s-th position, is the map of the strided network (arXiv:1705.09914, section 2).
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from archgen.errors import ArchError
from archgen.graph import Call, Graph
from archgen.ops import Conv, Law, Op, Pool, Shape, Subsample


def limit_stride(graph: Graph, limit: int) -> Graph:
    """Give the graph whose maps are at most `limit` times smaller than the input.

    A convolution or max pool whose stride would go past the limit keeps what of it fits; it
    and all that follows multiply dilation and padding by the strides cut before. Taking every
    s-th pixel takes more of them. An average pool that would be cut is refused: a dilated average
    pool does not exist in PyTorch.

    Args:
        graph: Any graph.
        limit: The largest stride, in input pixels a map pixel.

    Raises:
        ArchError: An average pool would have to be cut or dilated.
    """
    calls: list[Call] = []
    strides: list[int] = []
    rates: list[int] = []
    for call in graph.calls:
        stride = max((strides[i] for i in call.inputs), default=1)
        rate = max((rates[i] for i in call.inputs), default=1)
        op, step = call.op, getattr(call.op, "stride", 1)
        kept = gcd(step, max(1, limit // stride))
        if kept < step or rate > 1:
            op = _dilated(call, rate, kept)
        inputs: list[Shape] = [calls[i].shape for i in call.inputs]
        try:
            shape = op.shape(*inputs)
        except Law as law:
            raise ArchError(call.name, law.message, field=law.field) from None
        calls.append(Call(call.name, op, call.inputs, shape))
        strides.append(stride * kept)
        rates.append(rate * (step // kept))
    return Graph(graph.name, tuple(calls), graph.outputs, graph.labels)


def _dilated(call: Call, rate: int, stride: int) -> Op:
    op = call.op
    if isinstance(op, Conv) or (isinstance(op, Pool) and op.kind == "max"):
        return replace(
            op,
            stride=stride,
            padding=op.padding * rate,
            dilation=op.dilation * rate if op.kernel > 1 else 1,
        )
    if isinstance(op, Pool):
        raise ArchError(
            call.name,
            "output_stride would cut or dilate this average pool, which cannot be dilated",
            field="output_stride",
        )
    if isinstance(op, Subsample):
        return replace(op, stride=stride)
    return op
