"""The map that a classifier averages."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.ops import Dropout, Flatten, Linear, Mean, Shape

_HEAD = (Mean, Flatten, Dropout, Linear)


def last_map(graph: Graph) -> Shape:
    """Give the shape of the last map before the head's mean over all positions.

    Its side is what papers call output resolution. A network that ends in a map has that one.
    """
    index = graph.outputs[-1]
    while isinstance(graph.calls[index].op, _HEAD):
        index = graph.calls[index].inputs[0]
    return graph.calls[index].shape
