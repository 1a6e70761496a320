"""A network along its depth as a figure: what each unit gives, and what it costs.

Six panels over one axis of layers. Streams are lines and bars of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from archgen.explorer.measures import MEASURES, Measure, joined
from archgen.ops import size
from archgen.report.traces import Chart, safe
from archgen.view import DepthRow, short
from archgen.view.colours import GREY, STYLES

HEIGHT = 860
"""Pixels."""
MARKED = 120
"""Units up to which each has its mark."""
BARS = 600
"""Units up to which each has its bar; browsers take seconds for thousands."""
LETTER = 0.019
"""Part of the axis that a letter of a stage's name above it needs, on a narrow screen."""


PANELS = tuple(
    MEASURES[what]
    for what in ("channels", "macs", "side", "params", "receptive_field", "saved_bytes")
)
"""From left to right and down: what comes out on the left, what it costs on the right."""


def along_depth(rows: Sequence[DepthRow]) -> Chart:
    """Draw a network's units over their layers.

    Args:
        rows: What `depth_rows` gives.
    """
    streams = list(dict.fromkeys(["", *(row.stream for row in rows)]))
    data = [
        trace | _place(number) | {"showlegend": number == 1 and len(streams) > 1}
        for number, panel in enumerate(PANELS, 1)
        for trace in (_bars if panel.spent else _lines)(panel, rows, streams)
    ]
    return Chart(data, _layout(rows), _said(rows))


def _place(number: int) -> dict[str, str]:
    end = str(number) if number > 1 else ""
    return {"xaxis": f"x{end}", "yaxis": f"y{end}"}


def _lines(
    panel: Measure, rows: Sequence[DepthRow], streams: Sequence[str]
) -> Iterable[dict[str, Any]]:
    """Join each unit with the one that it reads."""
    there = {row.path: row for row in rows if panel.of(row) is not None}
    for number, stream in enumerate(streams):
        points = joined((row for row in there.values() if row.stream == stream), there)
        color, dash, symbol = STYLES[number % len(STYLES)]
        mark = 6 if len(rows) <= MARKED else 0
        own = [mark if row and row.stream == stream else 0 for row in points]
        yield {
            "type": "scatter", "mode": "lines+markers" if mark else "lines", **_named(stream),
            "x": [row and row.layers for row in points],
            "y": [row and panel.of(row) for row in points],
            "text": [row and _hover(panel, row) for row in points],
            "hovertemplate": "%{text}<extra></extra>",
            "line": {"color": color, "width": 2, "dash": dash},
            "marker": {"color": color, "symbol": symbol, "size": own, "line": {"width": 0}},
        }  # fmt: skip


def _bars(
    panel: Measure, rows: Sequence[DepthRow], streams: Sequence[str]
) -> Iterable[dict[str, Any]]:
    """Draw a bar as wide as its unit is deep; units that end at one depth share the room.

    Of very many units only the outline is drawn, as steps.
    """
    if len(rows) > BARS:
        yield from _steps(panel, rows, streams)
        return
    at = {row.path: row for row in rows}
    places: dict[str, tuple[float, float]] = {}
    for _, group in groupby(sorted(rows, key=lambda row: row.layers), lambda row: row.layers):
        together = list(group)
        for index, row in enumerate(together):
            deep = row.layers - at[row.after].layers if row.after else 0
            width = 0.9 * (deep or 1) / len(together)
            places[row.path] = index * width - 0.95 * (deep or 1), width
    for number, stream in enumerate(streams):
        own = [row for row in rows if row.stream == stream]
        yield {
            "type": "bar", **_named(stream),
            "x": [row.layers for row in own],
            "y": [panel.height(panel.of(row) or 0) for row in own],
            "offset": [places[row.path][0] for row in own],
            "width": [places[row.path][1] for row in own],
            "text": [_hover(panel, row) for row in own], "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"color": STYLES[number % len(STYLES)].color, "line": {"width": 0}},
        }  # fmt: skip


def _steps(
    panel: Measure, rows: Sequence[DepthRow], streams: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for number, stream in enumerate(streams):
        own = [row for row in rows if row.stream == stream]
        yield {
            "type": "scatter", "mode": "lines", "fill": "tozeroy", **_named(stream),
            "x": [row.layers for row in own],
            "y": [panel.height(panel.of(row) or 0) for row in own],
            "text": [_hover(panel, row) for row in own],
            "hovertemplate": "%{text}<extra></extra>",
            "line": {"color": STYLES[number % len(STYLES)].color, "width": 1, "shape": "vh"},
        }  # fmt: skip


def _named(stream: str) -> dict[str, str]:
    return {"name": safe(stream or "trunk"), "legendgroup": stream}


def _hover(panel: Measure, row: DepthRow) -> str:
    unit = f"<b>{safe(row.path)}</b> {safe(row.block)}"
    said = f"{panel.name}: {panel.write(panel.of(row) or 0)}"
    return f"{unit}<br>{said}<br>{size(row.shape)} at layer {row.layers}"


def _layout(rows: Sequence[DepthRow]) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "height": HEIGHT,
        "margin": {"t": 56, "r": 12, "l": 64, "b": 52},
        "grid": {"rows": 3, "columns": 2, "pattern": "independent", "xgap": 0.24, "ygap": 0.16},
        "hovermode": "x",
        "bargap": 0,
        "legend": {"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom"},
        "shapes": [],
        "annotations": [],
    }
    end = max(row.layers for row in rows)
    for number, panel in enumerate(PANELS, 1):
        place = _place(number)
        x, y = (place[axis].replace(axis[0], axis, 1) for axis in ("xaxis", "yaxis"))
        layout[x] = {"matches": "x", "range": [0, end + 0.5], "zeroline": False, "showgrid": False}
        title = panel.title(" per unit" if panel.spent else "")
        layout[y] = {"title": {"text": title}, "rangemode": "tozero", "tickformat": "~s"}
        if number > len(PANELS) - 2:
            layout[x]["title"] = {"text": "layers from the input"}
    sides = sorted({row.side for row in rows if row.side})
    layout["yaxis3"] |= {"type": "log", "tickvals": sides, "ticktext": [*map(str, sides)]}
    _show_input(layout, max(rows[0].shape[1:]))
    if not any(row.stream for row in rows):
        _show_stages(layout, rows)
    return layout


def _show_input(layout: dict[str, Any], side: int) -> None:
    """Draw the input's side where receptive fields are: what lies above sees past its edges."""
    layout["shapes"].append(
        {"type": "line", "xref": "x5 domain", "x0": 0, "x1": 1, "yref": "y5", "y0": side,
         "y1": side, "line": {"color": GREY, "width": 1.5, "dash": "dash"}}
    )  # fmt: skip
    layout["annotations"].append(
        {"xref": "x5 domain", "x": 1, "xanchor": "right", "yref": "y5", "y": side,
         "yanchor": "bottom", "text": f"side of the input: {side}", "showarrow": False}
    )  # fmt: skip


def _show_stages(layout: dict[str, Any], rows: Sequence[DepthRow]) -> None:
    """Shade every other stage, and name those that have the room, at least by their numbers."""
    start, end = 0, max(row.layers for row in rows)
    for index, (stage, group) in enumerate(groupby(rows[1:], lambda row: row.stage)):
        stop = max(row.layers for row in group)
        for number in range(1, len(PANELS) + 1):
            x, y = _place(number).values()
            if index % 2:
                layout["shapes"].append(
                    {"type": "rect", "xref": x, "x0": start, "x1": stop, "yref": f"{y} domain",
                     "y0": 0, "y1": 1, "layer": "below", "fillcolor": GREY, "opacity": 0.12,
                     "line": {"width": 0}}
                )  # fmt: skip
            room = (stop - start) / (LETTER * end)
            names = (stage, stage.rpartition(".")[2])
            name = next((each for each in names if len(each) <= room), None)
            if number <= 2 and name:
                layout["annotations"].append(
                    {"xref": x, "x": (start + stop) / 2, "yref": f"{y} domain", "y": 1,
                     "yanchor": "bottom", "text": safe(name), "showarrow": False}
                )  # fmt: skip
        start = stop


def _said(rows: Sequence[DepthRow]) -> str:
    """Say in a sentence what the panels show."""
    maps = [row for row in rows if row.side]
    widest = max(maps, key=lambda row: row.channels)
    sees = max(row.receptive_field or 0 for row in maps)
    costly = max(rows, key=lambda row: row.macs)
    return (
        f"Along {max(row.layers for row in rows)} layers: up to {widest.channels} channels, maps "
        f"from {rows[0].side} down to {min(row.side or 0 for row in maps)} pixels, receptive "
        f"fields up to {sees} pixels; {costly.path} has most MACs, {short(costly.macs)}."
    )
