"""Networks' figures in multiples of the first one's, as bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from archgen.explorer.entries import Entry, ratio
from archgen.report.traces import Chart, layout_of, safe
from archgen.view import titled
from archgen.view.colours import STYLES
from archgen.view.comparison import FIGURES

PATTERNS = ("", "/", ".", "x", "-", "+")
"""What tells bars of two networks apart but their colour."""
ROOM, LEAST = 1.4, 1.5
"""The axis goes on beyond the longest bars, for their labels; and so far at least."""
FEW = 8
"""Marks on the axis."""


def ratios(entries: Mapping[str, Entry]) -> Chart:
    """Draw how many times the first network's figures the others' are, from 1 to both sides.

    Args:
        entries: The networks by label, at least two.
    """
    (name, first), *others = entries.items()
    data, said = [], []
    for place, (label, each) in enumerate(others, 1):
        times = {titled(what): ratio(each.figure(what), first.figure(what)) for what in FIGURES}
        there = {what: value for what, value in times.items() if value}
        data.append(_bars(place, label, there))
        said.append(f"{label}: " + ", ".join(f"{what} {_times(x)}" for what, x in there.items()))
    known = [value for bars in data for value in bars["customdata"]]
    low, high = min([1 / LEAST, *known]) / ROOM, max([LEAST, *known]) * ROOM
    powers = _powers(low, high)
    axis: dict[str, Any] = {
        "title": {"text": f"times {safe(name)} (logarithmic)"}, "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": powers, "ticktext": [f"{power:.3g}x" for power in powers],
    }  # fmt: skip
    layout = layout_of(axis, {"autorange": "reversed"})
    layout["height"] = 130 + len(FIGURES) * (16 + 18 * len(data))
    layout["shapes"] = [
        {
            "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
            "line": {"color": STYLES[0].color, "width": 2},
        }
    ]  # fmt: skip
    return Chart(data, layout, f"Figures in multiples of {name}'s. {'; '.join(said)}.")


def _bars(place: int, label: str, times: Mapping[str, float]) -> dict[str, Any]:
    pattern = {"shape": PATTERNS[place], "fillmode": "overlay"}
    return {
        "type": "bar", "orientation": "h", "name": safe(label), "showlegend": True, "base": 1,
        "y": [*times], "x": [value - 1 for value in times.values()],
        "customdata": [*times.values()],
        "text": [*map(_times, times.values())],
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": f"{safe(label)}<br>%{{y}} %{{customdata:.3f}}x<extra></extra>",
        "marker": {"color": STYLES[place].color, "pattern": pattern},
    }  # fmt: skip


def _times(value: float) -> str:
    return f"{value:#.3g}x" if value < 100 else f"{value:.0f}x"


def _powers(low: float, high: float) -> list[float]:
    """Give powers of two between two numbers with 1 among them, few enough to be read."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    step = 1 + (last - first) // FEW
    return [2.0**power for power in range(first, last + 1) if power % step == 0]
