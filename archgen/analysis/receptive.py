"""Receptive fields: the pixels of the input that a pixel of a map can depend on."""

from __future__ import annotations

from typing import NamedTuple

from archgen.analysis.last_map import before_head
from archgen.graph import Graph
from archgen.ops import POINT, Flatten, Linear, Mean, Mul
from archgen.spec import Net


class Field(NamedTuple):
    """What a pixel sees of the input along each axis, as if the input had no edge.

    Pixel i of the map sees `size` pixels from ``start + i * stride`` on. Between the first and
    the last there may be holes: `coverage` finds them.
    """

    size: int
    stride: int
    start: int


IDENTITY = Field(1, 1, 0)
"""Of the input itself."""


def receptive_fields(graph: Graph) -> tuple[Field | None, ...]:
    """Give the receptive field of a pixel of each call's result: the hull over all paths to it.

    It is None where there is no field of one size: behind a mean over all positions, which sees
    all of the input; of vectors; and where paths of unlike strides meet, whose fields drift
    apart from pixel to pixel. What is the same number for all pixels of a map does not count:
    gates, and the statistics of a group norm.

    Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (Distill,
    2019), sections 2 and 3.

    Args:
        graph: Any graph.
    """
    found: list[Field | None] = []
    for call in graph.calls:
        op = call.op
        if isinstance(op, Mean | Flatten | Linear):
            found.append(None)
            continue
        seen = [found[source] for source in call.inputs] or [IDENTITY]
        if isinstance(op, Mul) and seen[1] is None:
            seen.pop()
        field = seen[0] if len(seen) == 1 else _hull(seen)
        window = op.window
        if field is not None and window is not POINT:
            size, stride, start = field
            field = Field(
                size + stride * window.reach,
                stride * window.stride,
                start - stride * window.padding,
            )
        found.append(field)
    return tuple(found)


def _hull(fields: list[Field | None]) -> Field | None:
    """Give the smallest field around all; None if one is none or moves at another stride."""
    known = [field for field in fields if field is not None]
    stride = known[0].stride if known else 0
    if len(known) < len(fields) or any(field.stride != stride for field in known):
        return None
    start = min(field.start for field in known)
    return Field(max(field.start + field.size for field in known) - start, stride, start)


def receptive_field(net: Net | Graph) -> int | None:
    """Give the side of the receptive field of the last map before the head, in input pixels.

    Args:
        net: A spec or a graph.

    Returns:
        Its side, which may be larger than the input, or None as in `receptive_fields`.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    field = receptive_fields(graph)[before_head(graph)]
    return None if field is None else field.size
