"""A network's nodes, stages and streams as an SVG drawing, laid out in layers. No Graphviz.

As in `diagram`, one box a row of `stage_rows`. A box stands one layer below the last that it reads;
a line past a layer has a place in it, so that it crosses no box.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from archgen.ops import size
from archgen.spec import Net
from archgen.view.rows import stage_rows
from archgen.view.words import short

WIDTH, HEIGHT, GAP, DROP, BEND = 196, 56, 20, 34, 26
"""Pixels: of a box, between boxes, between layers, and of a line's place in a layer."""


@dataclass
class _Place:
    """A box, or the place of a line in a layer that it passes."""

    lines: tuple[str, ...] = ()
    above: list[str] = field(default_factory=list)
    layer: int = 0
    x: float = 0.0
    """Of its middle."""

    @property
    def width(self) -> int:
        return WIDTH if self.lines else BEND


def svg(net: Net) -> str:
    """Draw the network as an ``<svg>`` element; its colours are the surrounding text's.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    places = _places(net)
    layers = _layers(places)
    wide = max(sum(places[key].width + GAP for key in layer) - GAP for layer in layers)
    for layer in layers:
        left = (wide - sum(places[key].width + GAP for key in layer) + GAP) / 2
        for key in layer:
            places[key].x = left + places[key].width / 2
            left += places[key].width + GAP
    high = len(layers) * (HEIGHT + DROP) - DROP
    name = escape(net.name)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {wide + 2} {high + 2}" '
        f'width="{wide + 2}" height="{high + 2}" role="img" aria-label="diagram of {name}" '
        'font-family="inherit" font-size="12" text-anchor="middle" fill="currentColor">',
    ]
    for place in places.values():
        drawn += [_edge(places[key], place) for key in place.above]
    drawn += [_box(place) for place in places.values() if place.lines]
    return "\n".join([*drawn, "</svg>"])


def _places(net: Net) -> dict[str, _Place]:
    """Give the boxes, and a place in each layer to lines that go further than one."""
    places = {"input": _Place(("input", size(net.input)))}
    for row in stage_rows(net):
        costs = f"{short(row.params)} params, {short(row.macs)} MACs"
        lines = (row.path, f"{row.block}, {size(row.shape)}", costs)
        layer = 1 + max(places[source].layer for source in row.sources)
        places[row.path] = _Place(lines, list(row.sources), layer)
    for key, place in list(places.items()):
        for index, source in enumerate(place.above):
            above = source
            for layer in range(places[source].layer + 1, place.layer):
                bend = f"{source} > {key} {layer}"
                places[bend] = _Place((), [above], layer)
                above = bend
            place.above[index] = above
    return places


def _layers(places: dict[str, _Place]) -> list[list[str]]:
    """Order each layer by where its sources stand in the one above."""
    layers: list[list[str]] = [[] for _ in range(1 + max(p.layer for p in places.values()))]
    for key, place in places.items():
        layers[place.layer].append(key)
    for above, layer in zip(layers, layers[1:], strict=False):
        rank = {key: index / max(1, len(above) - 1) for index, key in enumerate(above)}

        def middle(key: str, rank: dict[str, float] = rank) -> float:
            ranks = [rank[source] for source in places[key].above]
            return sum(ranks) / len(ranks)

        layer.sort(key=middle)
    return layers


def _box(place: _Place) -> str:
    left, top = place.x - WIDTH / 2, place.layer * (HEIGHT + DROP)
    texts = [
        f'<text x="{place.x:g}" y="{top + 17 + 15 * index}"{_weight(index)}>{_cut(line)}</text>'
        for index, line in enumerate(place.lines)
    ]
    frame = (
        f'<rect x="{left:g}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
        'fill="currentColor" fill-opacity="0.06" stroke="currentColor" stroke-opacity="0.5"/>'
    )
    said = "<title>" + escape(", ".join(place.lines)) + "</title>"
    return f"<g>{said}{frame}{''.join(texts)}</g>"


def _weight(index: int) -> str:
    return ' font-weight="600"' if index == 0 else ' fill-opacity="0.8"'


def _cut(line: str) -> str:
    return escape(line if len(line) <= 31 else line[:30] + "…")


def _edge(above: _Place, below: _Place) -> str:
    """Draw a line from the bottom of one place to the top of the next; past a layer it goes on."""
    step = HEIGHT + DROP
    start, end = above.layer * step + HEIGHT, below.layer * step
    lead = "" if above.lines else f"M{above.x:g},{start - HEIGHT}V{start}"
    half = (start + end) / 2
    path = f"M{above.x:g},{start}C{above.x:g},{half:g} {below.x:g},{half:g} {below.x:g},{end}"
    tip = f"M{below.x - 4:g},{end - 6}L{below.x:g},{end}L{below.x + 4:g},{end - 6}"
    arrow = tip if below.lines else ""
    return f'<path d="{lead}{path}{arrow}" fill="none" stroke="currentColor" stroke-opacity="0.6"/>'
