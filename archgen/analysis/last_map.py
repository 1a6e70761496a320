"""The map that a classifier averages."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.ops import Dropout, Flatten, Linear, Mean, Shape

_HEAD = (Mean, Flatten, Dropout, Linear)


def last_map(graph: Graph) -> Shape:
    """Give the shape of the last map before the head's mean over all positions.

    Its side is what papers call output resolution. A network that ends in a map has that one.
    """
    return graph.calls[before_head(graph)].shape


def before_head(graph: Graph) -> int:
    """Give the position of the call that gives the last map."""
    index = graph.outputs[-1]
    while isinstance(graph.calls[index].op, _HEAD):
        index = graph.calls[index].inputs[0]
    return index
