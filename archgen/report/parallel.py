"""Parallel coordinates: each candidate a line through all that varies. Plain data for plotly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archgen.report.facts import Facts, named, spoken
from archgen.report.traces import (
    Chart,
    candidates,
    cut,
    layout_of,
    line_of,
    safe,
    thinned,
)
from archgen.study.report import gain, value_of
from archgen.view import plain, short
from archgen.view.colours import BLUE, GREY, VERMILLION

TOP = 40
"""Lines that stand out, at most, or a tenth of all: more would hide the others."""
STEPS = 6
"""Different numbers of a parameter that have a place each on an axis."""
ABSENT = -0.1
"""Where an axis has candidates without its parameter."""


def parallel(facts: Facts) -> Chart | None:
    """One line a complete candidate through all that varies and the scores; the best stand out."""
    done = facts.complete
    if not done:
        return None
    name = facts.watched
    way = facts.study.score[name]
    order = sorted(done, key=lambda row: (-gain(row, name, way), row.costs["macs"], row.number))
    best = order[: max(1, min(TOP, len(order) // 10))]
    half = order[: (len(order) + 1) // 2]
    groups = [
        (thinned(order[len(half) :]), "other half", GREY, 1, 0.4),
        (thinned(half[len(best) :]), "better half", BLUE, 1.2, 0.6),
        (thinned(best), f"best {len(best)} in {name}", VERMILLION, 2.5, 0.9),
    ]
    drawn = [row for rows, *_ in groups for row in rows]
    words = spoken(facts.study, drawn)
    scores = list(dict.fromkeys([facts.against, *facts.study.score]))
    values = {
        row.number: [
            *map(named(facts.study, row).get, words),
            *[value_of(row, score) for score in scores],
        ]
        for row in drawn
    }
    titles = [*words.values(), *scores]
    steps = [STEPS] * len(words) + [0] * len(scores)
    axes = [
        _Scale.of(*each) for each in zip(zip(*values.values(), strict=True), steps, strict=True)
    ]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": safe(label), "hoverinfo": "skip",
            "x": [*range(len(axes)), None] * len(rows),
            "y": [y for row in rows for y in (*_heights(axes, values[row.number]), None)],
            "line": {**line_of(color, width), "shape": "linear"}, "opacity": opacity,
            "connectgaps": False,
        }
        for rows, label, color, width, opacity in groups
        if rows
    ]  # fmt: skip
    layout = layout_of(
        {
            "tickvals": list(range(len(axes))), "showticklabels": False, "zeroline": False,
            "gridwidth": 2, "range": [-0.4, len(axes) - 0.4],
        },
        {"visible": False, "range": [-0.16, 1.27]},
    )  # fmt: skip
    heads = []
    for index, title in enumerate(titles):
        head, condition, value = title.partition(" if ")
        heads += [(index, 1.2, head, "center", 13), (index, 1.11, condition + value, "center", 11)]
    ticks = [
        (index, height, text, "left", 11)
        for index, axis in enumerate(axes)
        for height, text in axis.ticks()
    ]
    layout["annotations"] = [
        {
            "x": index, "y": height, "text": safe(cut(text)), "showarrow": False,
            "xanchor": side, "xshift": 5 * (side == "left"), "font": {"size": points},
        }
        for index, height, text, side, points in heads + ticks
        if text
    ]  # fmt: skip
    layout |= {"height": 440, "margin": {"t": 8, "l": 8, "r": 8, "b": 40}}
    layout["legend"] |= {"y": -0.02, "yanchor": "top"}
    said = f"{candidates(len(done))}; the best {len(best)} in {name} stand out."
    return Chart(data, layout, said, narrowest=130 * len(axes))


@dataclass(frozen=True)
class _Scale:
    """An axis of the parallel coordinates: numbers, or the values there are in order."""

    low: float
    high: float
    values: tuple[str, ...] = ()
    absent: bool = False

    @classmethod
    def of(cls, values: Sequence[Any], steps: int) -> _Scale:
        """The axis for the values of candidates, None where one has none.

        Up to `steps` different numbers have a place each, as words do.
        """
        there = {plain(value): value for value in values if value is not None}
        numbers = all(type(value) in (int, float) for value in there.values())
        absent = None in values
        if numbers and len(there) > steps:
            return cls(min(there.values()), max(there.values()), absent=absent)
        order = sorted(there, key=lambda text: there[text] if numbers else text)
        return cls(0, max(1, len(order) - 1), tuple(order), absent)

    def height(self, value: Any) -> float:
        """Where a value is, 0 to 1; below 0 where the candidate has none."""
        if value is None:
            return ABSENT
        at = self.values.index(plain(value)) if self.values else value
        width = self.high - self.low
        return (at - self.low) / width if width else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Heights with their texts."""
        marks = [(self.height(value), value) for value in self.values] or [
            (self.height(value), _number(value)) for value in sorted({self.low, self.high})
        ]
        return marks + [(ABSENT, "not there")] * self.absent


def _heights(axes: Sequence[_Scale], values: Sequence[Any]) -> list[float]:
    return [round(axis.height(value), 4) for axis, value in zip(axes, values, strict=True)]


def _number(value: float) -> str:
    return short(value) if value >= 1000 else f"{value:.4g}"
