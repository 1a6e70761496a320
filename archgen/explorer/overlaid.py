"""Networks laid over one another along their depth, as plotly's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from archgen.explorer.entries import Entry
from archgen.explorer.measures import Measure, joined
from archgen.ops import size
from archgen.report.traces import Chart, layout_of, safe
from archgen.view import DepthRow
from archgen.view.colours import STYLES

MARKS = 40
"""Marks on a line; more would hide its dash."""


class _Point(NamedTuple):
    """A point of a line: layers down to it, its value, the units there, the value in words."""

    layer: int
    value: int
    where: str
    said: str

    def hover(self, label: str) -> str:
        return "<br>".join(map(safe, (label, self.where, f"layer {self.layer}", self.said)))


def along(entries: Mapping[str, Entry], measure: Measure) -> Chart:
    """Draw networks along their depth: what is spent so far, or what each unit's map has.

    Args:
        entries: The networks by label.
        measure: What is drawn; what is spent is summed up over all streams, and of what maps
            have each stream is a line of its own.
    """
    points = _sums if measure.spent else _values
    lines = {label: points(each.units, measure) for label, each in entries.items()}
    data = [_line(place, *line, measure) for place, line in enumerate(lines.items())]
    most = {label: max(each.value for each in line if each) for label, line in lines.items()}
    layout = layout_of(
        {"title": {"text": "layers from the input"}, "rangemode": "tozero"},
        {"title": {"text": measure.title(" so far" if measure.spent else "")}},
    )
    layout["height"] = 440
    if measure.what == "side":
        sides = sorted({each.value for line in lines.values() for each in line if each})
        layout["yaxis"] |= {"type": "log", "tickvals": sides}
    else:
        highest = measure.height(max(most.values()))
        layout["yaxis"] |= {"range": [0, 1.05 * highest], "tickformat": "~s"}
    ends = ", ".join(f"{label} {measure.write(value)}" for label, value in most.items())
    return Chart(data, layout, f"{measure.name}, layer by layer. The most: {ends}.")


def _sums(units: Sequence[DepthRow], measure: Measure) -> list[_Point | None]:
    points: list[_Point | None] = []
    total = 0
    for layer, beside in groupby(sorted(units, key=_layers), key=_layers):
        here = [*beside]
        total += sum(measure.of(unit) or 0 for unit in here)
        paths = ", ".join(unit.path for unit in here)
        points.append(_Point(layer, total, paths, f"{measure.write(total)} so far"))
    return points


def _values(units: Sequence[DepthRow], measure: Measure) -> list[_Point | None]:
    there = {unit.path: unit for unit in units if measure.of(unit) is not None}
    line = joined(there.values(), there)
    return [None if unit is None else _point(unit, measure) for unit in line]


def _point(unit: DepthRow, measure: Measure) -> _Point:
    value = measure.of(unit) or 0
    return _Point(unit.layers, value, unit.path, f"{measure.write(value)} of {size(unit.shape)}")


def _layers(unit: DepthRow) -> int:
    return unit.layers


def _line(
    place: int, label: str, points: Sequence[_Point | None], measure: Measure
) -> dict[str, Any]:
    style = STYLES[place]
    return {
        "type": "scatter", "mode": "lines+markers", "name": safe(label),
        "x": [point and point.layer for point in points],
        "y": [point and measure.height(point.value) for point in points],
        "text": [point and point.hover(label) for point in points],
        "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
        "line": {"color": style.color, "dash": style.dash, "width": 2},
        "marker": {"symbol": style.mark, "size": 7, "maxdisplayed": MARKS},
    }  # fmt: skip
