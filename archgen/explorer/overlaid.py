"""Networks laid over one another: curves along depth, bars against the first, as plotly's data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeAlias

from archgen.explorer.compared import Entry, ratio
from archgen.explorer.tiles import LABELS
from archgen.ops import size
from archgen.report.traces import Chart, safe
from archgen.view import DepthRow, mebibytes, short
from archgen.view.colours import STYLES
from archgen.view.comparison import FIGURES


class _Point(NamedTuple):
    """A point of a line: layers down to it, how high it is, the units there, the value in words."""

    layer: int
    value: int
    where: str
    said: str

    def hover(self, label: str) -> str:
        return "<br>".join(map(safe, (label, self.where, f"layer {self.layer}", self.said)))


PATTERNS = ("", "/", ".", "x", "-", "+")
"""What tells bars of two networks apart but their colour; lines have a style each."""
Trace: TypeAlias = dict[str, Any]
Curve: TypeAlias = Literal["macs", "params", "saved_bytes", "channels", "side", "receptive_field"]
CURVES: dict[Curve, str] = {
    "macs": "MACs",
    "params": "Parameters",
    "saved_bytes": "Saved memory",
    "channels": "Channels",
    "side": "Resolution",
    "receptive_field": "Receptive field",
}
AXES: dict[Curve, str] = {
    "macs": "MACs so far",
    "params": "parameters so far",
    "saved_bytes": "saved for backward so far, bytes",
    "channels": "channels",
    "side": "pixels a side (logarithmic)",
    "receptive_field": "input pixels a side",
}
ROOM, LEAST = 1.4, 1.5
"""The axis of ratios goes on beyond the longest bars, for their labels; and so far at least."""
FEW = 8
"""Marks on the axis of ratios."""
MARKS = 40
"""Marks on a line; more would hide its dash."""


def along(entries: Mapping[str, Entry], what: Curve) -> Chart:
    """Draw networks along their depth: what is spent so far, or what each unit's map has.

    Args:
        entries: The networks by label.
        what: What is drawn; what can be spent is summed up over all streams, and of what maps
            have each stream is a line of its own.
    """
    points = _sums if what in ("macs", "params", "saved_bytes") else _values
    data = [
        _line(place, label, points(each.units, what))
        for place, (label, each) in enumerate(entries.items())
    ]
    heights = {trace["name"]: [y for y in trace["y"] if y is not None] for trace in data}
    most = {label: max(own) for label, own in heights.items()}
    layout = _layout(AXES[what])
    if what == "side":
        sides = sorted({side for own in heights.values() for side in own})
        layout["yaxis"] |= {"type": "log", "tickvals": sides}
    else:
        layout["yaxis"]["range"] = [0, 1.05 * max(most.values())]
    ends = ", ".join(f"{label} {short(value)}" for label, value in most.items())
    return Chart(data, layout, f"{CURVES[what]}, layer by layer. The most: {ends}.")


def _sums(units: Sequence[DepthRow], what: Curve) -> list[_Point | None]:
    write = mebibytes if what == "saved_bytes" else short
    points: list[_Point | None] = []
    total = 0
    for layer, beside in groupby(sorted(units, key=_layers), key=_layers):
        here = [*beside]
        total += sum(getattr(unit, what) for unit in here)
        paths = ", ".join(unit.path for unit in here)
        points.append(_Point(layer, total, paths, f"{write(total)} so far"))
    return points


def _values(units: Sequence[DepthRow], what: Curve) -> list[_Point | None]:
    """Join each unit with the one that it reads; None breaks the line."""
    at: dict[str, _Point] = {}
    points: list[_Point | None] = []
    for unit in units:
        value = getattr(unit, what)
        if unit.side is None or value is None:
            continue
        above = at.get(unit.after)
        if above and points[-1] is not above:
            points += [None, above]
        at[unit.path] = _Point(unit.layers, value, unit.path, f"{value:,} of {size(unit.shape)}")
        points.append(at[unit.path])
    return points


def ratios(entries: Mapping[str, Entry]) -> Chart:
    """Draw how many times the first network's figures the others' are, from 1 to both sides.

    Args:
        entries: The networks by label, at least two.
    """
    (name, first), *others = entries.items()
    data, said = [], []
    for place, (label, each) in enumerate(others, 1):
        times = {LABELS[what]: ratio(each.figure(what), first.figure(what)) for what in FIGURES}
        there = {what: value for what, value in times.items() if value}
        data.append(_bars(place, label, there))
        said.append(f"{label}: " + ", ".join(f"{what} {_times(x)}" for what, x in there.items()))
    known = [value for bars in data for value in bars["customdata"]]
    low, high = min([1 / LEAST, *known]) / ROOM, max([LEAST, *known]) * ROOM
    powers = _powers(low, high)
    layout = _layout("", f"times {safe(name)} (logarithmic)")
    layout["height"] = 130 + len(FIGURES) * (16 + 18 * len(data))
    layout["xaxis"] |= {
        "type": "log", "range": [math.log10(low), math.log10(high)],
        "tickvals": powers, "ticktext": [f"{power:.3g}x" for power in powers],
    }  # fmt: skip
    layout["yaxis"] = {"autorange": "reversed"}
    layout["shapes"] = [
        {
            "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
            "line": {"color": STYLES[0][0], "width": 2},
        }
    ]  # fmt: skip
    return Chart(data, layout, f"Figures in multiples of {name}'s. {'; '.join(said)}.")


def _layers(unit: DepthRow) -> int:
    return unit.layers


def _line(place: int, label: str, points: Sequence[_Point | None]) -> Trace:
    color, dash, mark = STYLES[place]
    return {
        "type": "scatter", "mode": "lines+markers", "name": safe(label),
        "x": [point and point.layer for point in points],
        "y": [point and point.value for point in points],
        "text": [point and point.hover(label) for point in points],
        "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
        "line": {"color": color, "dash": dash, "width": 2},
        "marker": {"symbol": mark, "size": 7, "maxdisplayed": MARKS},
    }  # fmt: skip


def _bars(place: int, label: str, times: Mapping[str, float]) -> Trace:
    pattern = {"shape": PATTERNS[place], "fillmode": "overlay"}
    return {
        "type": "bar", "orientation": "h", "name": safe(label), "showlegend": True, "base": 1,
        "y": [*times], "x": [value - 1 for value in times.values()],
        "customdata": [*times.values()],
        "text": [*map(_times, times.values())],
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": f"{safe(label)}<br>%{{y}} %{{customdata:.3f}}x<extra></extra>",
        "marker": {"color": STYLES[place][0], "pattern": pattern},
    }  # fmt: skip


def _times(value: float) -> str:
    return f"{value:#.3g}x" if value < 100 else f"{value:.0f}x"


def _powers(low: float, high: float) -> list[float]:
    """Give powers of two between two numbers with 1 among them, few enough to be read."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    step = 1 + (last - first) // FEW
    return [2.0**power for power in range(first, last + 1) if power % step == 0]


def _layout(y: str, x: str = "layers from the input") -> dict[str, Any]:
    return {
        "height": 440,
        "margin": {"t": 40, "r": 24, "l": 64, "b": 56},
        "xaxis": {"title": {"text": x}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": y}, "rangemode": "tozero", "tickformat": "~s"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }
