"""What figures are made of, as plotly.js takes them: plain data and layout. Imports no plotly.

Every text that comes from a study or a record goes through `safe`: plotly reads a subset of HTML
in its texts. Colours of text, axes and grid are the page's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar

from archgen.report.facts import LABELS
from archgen.study.definition import Study
from archgen.study.report import Row, value_of
from archgen.view import endings, figure, varied

T = TypeVar("T")
MOST = 400
"""Lines of candidates in one figure; of more, every n-th is drawn."""
POINTS = 1000
"""Points of candidates in one figure, but for the best; of more, every n-th is drawn."""
FEW = 10
"""An axis of so many whole numbers has a tick for each: plotly alone would put some between."""
LETTERS = 22
"""Characters of a value on an axis."""


@dataclass(frozen=True)
class Chart:
    """A figure.

    Args:
        data: plotly.js's traces.
        layout: plotly.js's layout, without the page's colours.
        said: What it shows, in a sentence: for those who do not see it.
        narrowest: Pixels below which it is scrolled instead.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    said: str
    narrowest: int = 0


def safe(text: object) -> str:
    """Take all meaning from a text but itself, and keep it on one line."""
    return escape(" ".join(str(text).split()), quote=False)


def points_of(
    study: Study, rows: Sequence[Row], x: str, y: str, name: str, color: str, symbol: str, size: int
) -> dict[str, Any]:
    """Draw candidates as points that tell their numbers, also to who selects them."""
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [row.number if x == "number" else known_value(row, x) for row in rows],
        "y": [known_value(row, y) for row in rows],
        "text": [hover(study, row, dict.fromkeys([y, x, "params", "macs"])) for row in rows],
        "customdata": [row.number for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "symbol": symbol, "size": size},
    }  # fmt: skip


def hover(study: Study, row: Row, figures: Iterable[str]) -> str:
    """Say of a candidate some scores and costs, and what varies."""
    known = [(name, value_of(row, name)) for name in figures]
    said = [f"{name} {figure(name, value)}" for name, value in known if value is not None]
    values = varied(study, row)
    said += [f"{name} = {values[path]}" for path, name in endings(values).items()]
    return "<br>".join([f"candidate {row.number}", *map(safe, said)])


def known_value(row: Row, name: str) -> float:
    """Give a score or cost that a candidate has."""
    value = value_of(row, name)
    assert value is not None, name
    return value


def thinned(rows: Sequence[T], most: int = MOST) -> Sequence[T]:
    """Take every n-th, so that there are so many at most."""
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows


def cut(text: str) -> str:
    """Cut a text to what has room on an axis."""
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


def candidates(count: int) -> str:
    """Count candidates in words."""
    return f"{count} candidate{'' if count == 1 else 's'}"


def line_of(color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """Give a line, its width in pixels."""
    return {"color": color, "width": width, "dash": dash}


def axis(name: str) -> dict[str, Any]:
    """Give the axis of a score or cost."""
    found: dict[str, Any] = {"title": {"text": safe(LABELS.get(name, name))}}
    if name not in ("top1", "loss"):
        found |= {"tickformat": "~s", "rangemode": "tozero"}
    return found


def counted(title: str, first: int, last: int) -> dict[str, Any]:
    """An axis of whole numbers, with room for the markers of the first and the last."""
    room = max(0.5, 0.02 * (last - first))
    few = {"dtick": 1} if last - first <= FEW else {}
    return {"title": {"text": title}, "range": [first - room, last + room], **few}


def layout_of(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """Lay a figure of two axes out."""
    return {
        "height": 380,
        "margin": {"t": 40, "r": 16, "l": 56, "b": 52},
        "xaxis": x,
        "yaxis": y,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }
