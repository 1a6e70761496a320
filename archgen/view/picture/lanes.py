"""Which results of a network run on a dual path's residual lane, and which on its dense one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from archgen.graph import Graph
from archgen.ops import Add, Pad, Slice
from archgen.spec import Net

Lane: TypeAlias = Literal["residual", "dense"]
LANES: tuple[Lane, ...] = ("residual", "dense")
"""As papers draw them, from left to right."""


def lanes(net: Net, graph: Graph) -> dict[int, Lane]:
    """Give the lane of each call in a stack under join ``dual`` that runs on one.

    Its maps are ``[residual | dense]`` (arXiv:1707.01629): slices part them, and the residual
    lane goes on through sums and zero channels.
    """
    dual = {name for name, node in net.nodes.items() if node.join["join"] == "dual"}
    found: dict[int, Lane] = {}
    for index, call in enumerate(graph.calls):
        if call.name.partition(".")[0] not in dual:
            continue
        if isinstance(call.op, Slice):
            found[index] = "dense" if call.op.start else "residual"
        elif isinstance(call.op, Add | Pad) and "residual" in map(found.get, call.inputs):
            found[index] = "residual"
    return found
