"""Rings around the points of the candidates that are chosen, as plain data for plotly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from archgen.view.colours import VERMILLION


def ringed(data: Sequence[dict[str, Any]], numbers: Collection[int]) -> list[dict[str, Any]]:
    """Add a ring around each point that stands for one of some candidates.

    Args:
        data: Traces; those of candidates have their numbers as ``customdata``.
        numbers: Of the candidates.
    """
    found = [
        (x, y)
        for trace in data
        if "markers" in trace.get("mode", "")
        for x, y, number in zip(trace["x"], trace["y"], trace.get("customdata", ()), strict=False)
        if number in numbers
    ]
    if not found:
        return [*data]
    ring = {
        "type": "scatter", "mode": "markers", "name": "chosen", "hoverinfo": "skip",
        "x": [x for x, _ in found], "y": [y for _, y in found],
        "marker": {
            "symbol": "circle-open", "size": 18, "color": VERMILLION, "line": {"width": 3},
        },
    }  # fmt: skip
    return [*data, ring]
