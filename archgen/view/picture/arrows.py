"""The arrows of a diagram: lanes of dual paths, dense shortcuts as arcs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archgen.graph import Graph
from archgen.ops import Cat, Slice
from archgen.view.picture.boxes import Box
from archgen.view.picture.lanes import LANES, Lane, lanes
from archgen.view.picture.parts import Parts


@dataclass(frozen=True)
class Arrow:
    """What one box reads of another.

    Args:
        source: Key of the box that gives it.
        target: Key of the box that reads it.
        lane: The lane of a dual path that it is a piece of.
        label: What is said of it: channels of a lane, dilation of what reads it.
        arc: Whether it goes past units of a stage: a dense shortcut.
    """

    source: str
    target: str
    lane: Lane | None = None
    label: str = ""
    arc: bool = False


def arrows(parts: Parts, boxes: Sequence[Box], trail: Sequence[str]) -> list[Arrow]:
    """Draw what flows between boxes."""
    place = {index: at for at, box in enumerate(boxes) for index in box.calls}
    stack = trail[-1] if trail and parts.is_stack(trail[-1]) else None
    units = [at for at, box in enumerate(boxes) if stack and box.frame == stack]
    marked = lanes(parts.net, parts.graph)
    through = _stacked(parts, units, boxes)
    found: dict[tuple[int, int], dict[Lane | None, str]] = {}
    for index, call in enumerate(parts.graph.calls):
        target = place[index]
        for source in call.inputs:
            for origin in _origins(parts.graph, source, through) if target in units else [source]:
                if place[origin] != target:
                    lane = marked.get(index if isinstance(call.op, Slice) else origin)
                    said = f"{lane} {call.shape[0]}" if lane and boxes[target].opens else ""
                    found.setdefault((place[origin], target), {})[lane] = said
    return list(_drawn(boxes, units, found))


def _stacked(parts: Parts, units: Sequence[int], boxes: Sequence[Box]) -> frozenset[int]:
    """Find where units under join ``concat`` stack their results: later ones read each of them."""
    concat = {name for name, node in parts.net.nodes.items() if node.join["join"] == "concat"}
    graph = parts.graph.calls
    return frozenset(
        index
        for at in units
        for index in boxes[at].calls
        if isinstance(graph[index].op, Cat) and graph[index].name.partition(".")[0] in concat
    )


def _origins(graph: Graph, index: int, through: frozenset[int]) -> Iterator[int]:
    """Find whose results a map is stacked of."""
    rest, seen = [index], {index}
    while rest:
        each = rest.pop()
        if each in through:
            new = [source for source in graph.calls[each].inputs if source not in seen]
            rest += new
            seen.update(new)
        else:
            yield each


def _drawn(
    boxes: Sequence[Box],
    units: Sequence[int],
    found: dict[tuple[int, int], dict[Lane | None, str]],
) -> Iterator[Arrow]:
    """Draw arrows between places; lanes take the place of the map that they are parts of."""
    told: set[int] = set()
    for (start, end), read in sorted(found.items()):
        arc = end in units[1:] and end - start > 1
        dilation = ""
        if boxes[end].dilations and not arc and end not in told:
            told.add(end)
            dilation = f"dilation {', '.join(map(str, boxes[end].dilations))}"
        pieces: dict[Lane | None, str] = {lane: read[lane] for lane in LANES if lane in read}
        for lane, channels in (pieces or {None: ""}).items():
            said = "\n".join(part for part in (channels, dilation) if part)
            yield Arrow(boxes[start].key, boxes[end].key, lane, said, arc)
            dilation = ""
