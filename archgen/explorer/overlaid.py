"""Networks laid over one another: curves along depth, bars against the first, as plotly's data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal, NamedTuple, TypeAlias

from archgen.explorer.compared import LABELS, Entry, ratio
from archgen.ops import size
from archgen.report.traces import Chart, safe
from archgen.view import DepthRow, mebibytes, short
from archgen.view.comparison import FIGURES


class Style(NamedTuple):
    """How a network is drawn: never by its colour alone."""

    color: str
    dash: str
    mark: str
    pattern: str


STYLES = (
    Style("#0072B2", "solid", "circle", ""),
    Style("#D55E00", "dash", "diamond", "/"),
    Style("#009E73", "dot", "square", "."),
    Style("#E69F00", "dashdot", "triangle-up", "x"),
    Style("#56B4E9", "longdash", "cross", "-"),
    Style("#CC79A7", "longdashdot", "x", "+"),
)
"""One for each network; the colours are Okabe and Ito's."""
Trace: TypeAlias = dict[str, Any]
Curve: TypeAlias = Literal["macs", "params", "saved_bytes", "channels", "side", "receptive_field"]
CURVES: dict[Curve, str] = {
    "macs": "MACs so far",
    "params": "Parameters so far",
    "saved_bytes": "Saved for backward so far, bytes",
    "channels": "Channels",
    "side": "Resolution, pixels a side",
    "receptive_field": "Receptive field, input pixels a side",
}
ROOM, LEAST = 1.4, 1.5
"""The axis of ratios goes on beyond the longest bars, for their labels; and so far at least."""
MARKS = 24
"""Marks on a line; more would hide its dash."""


def along(entries: Mapping[str, Entry], what: Curve) -> Chart:
    """Draw networks along their depth: what is spent so far, or what each unit's map has.

    Args:
        entries: The networks by label.
        what: What is drawn; what can be spent is summed up over all streams, and of what maps
            have each stream is a line of its own.
    """
    lines = _sums if what in ("macs", "params", "saved_bytes") else _values
    data = [
        trace
        for place, (label, each) in enumerate(entries.items())
        for trace in lines(place, label, each.units, what)
    ]
    layout = _layout(CURVES[what])
    if what == "side":
        sides = sorted({side for trace in data for side in trace["y"]})
        layout["yaxis"] |= {"type": "log", "tickvals": sides, "tickformat": "d"}
    most: dict[str, int] = {}
    for trace in data:
        most[trace["name"]] = max(*trace["y"], most.get(trace["name"], 0))
    ends = ", ".join(f"{label} {short(value)}" for label, value in most.items())
    return Chart(data, layout, f"{CURVES[what]}, layer by layer. The most: {ends}.")


def _sums(place: int, label: str, units: Sequence[DepthRow], what: Curve) -> Iterator[Trace]:
    down = sorted(units, key=lambda unit: unit.layers)
    totals = [*accumulate(getattr(unit, what) for unit in down)]
    write = mebibytes if what == "saved_bytes" else short
    yield _line(place, label, down, totals, [f"{write(total)} so far" for total in totals])


def _values(place: int, label: str, units: Sequence[DepthRow], what: Curve) -> Iterator[Trace]:
    for number, chain in enumerate(chains(units)):
        known = [unit for unit in chain if getattr(unit, what) is not None]
        values = [getattr(unit, what) for unit in known]
        said = [f"{value:,}, {size(unit.shape)}" for unit, value in zip(known, values, strict=True)]
        line = _line(place, label, known, values, said)
        yield line | {"legendgroup": str(place), "showlegend": not number}


def chains(units: Sequence[DepthRow]) -> list[list[DepthRow]]:
    """Part units into lines: a unit goes on where its source ends a line, else a line branches off.

    Args:
        units: The rows of `depth_rows`.
    """
    at = {unit.path: unit for unit in units}
    found: list[list[DepthRow]] = []
    for unit in units:
        line = next((line for line in found if line[-1].path == unit.after), None)
        if line is None:
            line = [at[unit.after]] if unit.after else []
            found.append(line)
        line.append(unit)
    return found


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
        said.append(f"{label}: " + ", ".join(f"{what} {x:.2f}" for what, x in there.items()))
    reach = ROOM * max(LEAST, *(max(x, 1 / x) for bars in data for x in bars["customdata"]))
    layout = _layout("", f"times {safe(name)} (logarithmic)")
    layout["height"] = 130 + len(FIGURES) * (16 + 18 * len(data))
    layout["xaxis"] |= {
        "type": "log", "range": [-math.log10(reach), math.log10(reach)],
        "tickvals": _powers(reach), "ticksuffix": "x",
    }  # fmt: skip
    layout["yaxis"] = {"autorange": "reversed"}
    layout["shapes"] = [
        {
            "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
            "line": {"color": STYLES[0].color, "width": 2},
        }
    ]  # fmt: skip
    return Chart(data, layout, f"Figures in multiples of {name}'s. {'; '.join(said)}.")


def _line(
    place: int, label: str, units: Sequence[DepthRow], y: Sequence[int], said: Sequence[str]
) -> Trace:
    style = STYLES[place]
    hover = [
        "<br>".join(map(safe, (label, f"{unit.path} ({unit.block})", f"layer {unit.layers}", text)))
        for unit, text in zip(units, said, strict=True)
    ]
    return {
        "type": "scatter", "mode": "lines+markers", "name": safe(label),
        "x": [unit.layers for unit in units], "y": y,
        "text": hover, "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": style.color, "dash": style.dash, "width": 2},
        "marker": {"symbol": style.mark, "size": 7, "maxdisplayed": MARKS},
    }  # fmt: skip


def _bars(place: int, label: str, times: Mapping[str, float]) -> Trace:
    style = STYLES[place]
    return {
        "type": "bar", "orientation": "h", "name": safe(label), "base": 1,
        "y": [*times], "x": [value - 1 for value in times.values()],
        "customdata": [*times.values()],
        "text": [f"{value:.2f}x" for value in times.values()],
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": f"{safe(label)}<br>%{{y}} %{{customdata:.3f}}x<extra></extra>",
        "marker": {"color": style.color, "pattern": {"shape": style.pattern, "solidity": 0.2}},
    }  # fmt: skip


def _powers(reach: float) -> list[float]:
    """Give powers of two from 1 to both sides, few enough to be read."""
    last = int(math.log2(reach))
    step = 1 + last // 5
    return [2.0**power for power in range(-step * (last // step), last + 1, step)]


def _layout(y: str, x: str = "layers from the input") -> dict[str, Any]:
    return {
        "height": 440,
        "margin": {"t": 40, "r": 24, "l": 64, "b": 56},
        "xaxis": {"title": {"text": x}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": y}, "rangemode": "tozero", "tickformat": "~s"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
