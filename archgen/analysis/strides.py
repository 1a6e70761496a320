"""How many input pixels lie between two pixels of each map."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.ops import Flatten, Linear, Mean


def strides(graph: Graph) -> tuple[int, ...]:
    """Give the stride of each call's result, in input pixels a pixel of its map.

    Where maps meet it is the largest; it is 0 where it has no meaning: behind a mean over all
    positions, and of vectors.

    Args:
        graph: Any graph.
    """
    found: list[int] = []
    for call in graph.calls:
        before = max((found[source] for source in call.inputs), default=1)
        lost = isinstance(call.op, Mean | Flatten | Linear)
        found.append(0 if lost else before * call.op.window.stride)
    return tuple(found)
