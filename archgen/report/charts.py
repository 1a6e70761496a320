"""The figures of a report, as plotly.js takes them: plain data and layout. Imports no plotly.

Every text that comes from a study or a record goes through `safe`: plotly reads a subset of HTML
in its texts. Colours are Okabe and Ito's, which colour-blind people can tell apart; marks differ
in form as well. Colours of text, axes and grid are the page's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any

from archgen.report.facts import LABELS, Facts, paths, value_of
from archgen.study.report import Row, gain
from archgen.view import endings, figure, plain, short

BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9",
)  # fmt: skip
GREY = "#8C8C8C"
SERIES = ((VERMILLION, "solid"), (BLUE, "dash"), (GREEN, "dot"), (ORANGE, "dashdot"))
MOST = 400
"""Lines of candidates in one figure; of more, every n-th is drawn."""
LETTERS = 22
"""Characters of a value on an axis."""


@dataclass(frozen=True)
class Chart:
    """A figure.

    Args:
        data: plotly.js's traces.
        layout: plotly.js's layout, without the page's colours.
        said: What it shows, in a sentence: for those who do not see it.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    said: str


def safe(text: object) -> str:
    """Take all meaning from a text but itself, and keep it on one line."""
    return escape(" ".join(str(text).split()), quote=False)


def trade_off(facts: Facts) -> Chart | None:
    """The watched score against the other score or a cost; None without a complete candidate."""
    y, x = facts.watched, facts.against
    done = [row for row in facts.complete if value_of(row, x) is not None]
    if not done:
        return None
    leading = {row.number for row in (facts.best if len(facts.study.score) > 1 else facts.best[:1])}
    others = [row for row in done if row.number not in leading]
    first = sorted((row for row in done if row.number in leading), key=lambda row: _of(row, x))
    two = len(facts.study.score) > 1
    named = "Pareto front" if two else "best"
    data = [
        _points(others, x, y, "other candidates", BLUE, "circle", 7),
        _points(first, x, y, named, VERMILLION, "diamond", 11)
        | ({"mode": "lines+markers", "line": _line(VERMILLION, 2)} if two else {}),
    ]
    layout = _layout(_axis(x), _axis(y))
    limit = facts.study.keep.get(x)
    if limit is not None and limit.max is not None:
        layout["shapes"] = [
            {
                "type": "line", "x0": limit.max, "x1": limit.max, "y0": 0, "y1": 1,
                "yref": "paper", "line": _line(GREY, 2, "dash"),
            }
        ]  # fmt: skip
        layout["annotations"] = [
            {
                "x": limit.max, "y": 1, "yref": "paper", "text": "limit", "showarrow": False,
                "xanchor": "right", "yanchor": "bottom",
            }
        ]  # fmt: skip
    count = f"{len(done)} complete candidates, {LABELS.get(y, y)} against {LABELS.get(x, x)}"
    said = f"{count}; the {named} {'has' if two else 'is'} {_numbered(first)}."
    return Chart([trace for trace in data if trace["x"]], layout, said)


def history(facts: Facts) -> Chart | None:
    """The watched score in the order of asking, and the best so far."""
    name, done = facts.watched, facts.complete
    if not done:
        return None
    way = facts.study.score[name]
    bests = list(
        accumulate(done, lambda a, b: b if gain(b, name, way) > gain(a, name, way) else a)
    )
    numbers = [row.number for row in done]
    data = [
        _points(done, "number", name, "complete", BLUE, "circle", 7),
        {
            "type": "scatter", "mode": "lines", "name": "best so far", "hoverinfo": "skip",
            "x": numbers, "y": [_of(row, name) for row in bests],
            "line": {**_line(VERMILLION, 2), "shape": "hv"},
        },
    ]  # fmt: skip
    layout = _layout(
        {"title": {"text": "candidate (order of asking)"}, "rangemode": "tozero"}, _axis(name)
    )
    early = [row for row in facts.rows if row.state == "pruned"]
    if early:
        # Their last values are of earlier epochs: shown as a rug, or they would press the rest flat.
        values = [_of(row, name) for row in done]
        low, high = min(values), max(values)
        room = (high - low or abs(high) or 1.0) * 0.08
        rug = low - room if way == "maximize" else high + room
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": "given up early",
                "x": [row.number for row in early], "y": [rug] * len(early),
                "text": [_hover(row, facts.study.score) for row in early],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": GREY, "symbol": "x-thin-open", "size": 8},
            }
        )  # fmt: skip
    end = bests[-1]
    said = (
        f"{LABELS[name]} of {len(done)} complete candidates in the order of asking; the best is "
        f"{figure(name, _of(end, name))}, by candidate {end.number}."
    )
    return Chart(data, layout, said)


def distribution(facts: Facts) -> Chart | None:
    """The fraction of complete candidates whose error is below e (arXiv:2003.13678)."""
    errors = sorted(error_of(row, facts.watched) for row in facts.complete)
    if not errors:
        return None
    count = len(errors)
    label = "validation top-1 error e (%)" if facts.watched == "top1" else LABELS[facts.watched]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": "candidates", "showlegend": False,
            "x": [errors[0], *errors], "y": [index / count for index in range(count + 1)],
            "line": {**_line(BLUE, 3), "shape": "hv"},
            "hovertemplate": "%{y:.0%} of the networks: e at most %{x:.2f}<extra></extra>",
        }
    ]  # fmt: skip
    layout = _layout(
        {"title": {"text": label}},
        {"title": {"text": "fraction of networks"}, "range": [0, 1.03], "tickformat": ".0%"},
    )
    middle = errors[(count - 1) // 2]
    said = f"Half of the {count} complete candidates have an error of at most {middle:.2f}."
    return Chart(data, layout, said)


def error_of(row: Row, name: str) -> float:
    """A complete candidate's error: 100 - top1 in percent, or its loss."""
    return 100 - row.scores[name] if name == "top1" else row.scores[name]


def importance(facts: Facts) -> Chart | None:
    """Each parameter's part in reaching the best of each score."""
    if not facts.importances:
        return None
    first = next(iter(facts.importances.values()))
    order = sorted(first, key=lambda path: first[path])
    names = endings(order)
    data = [
        {
            "type": "bar", "orientation": "h", "name": safe(f"best {score}"),
            "x": [parts.get(path, 0.0) for path in order],
            "y": [safe(_cut(names[path])) for path in order],
            "marker": {"color": color, "pattern": {"shape": shape}},
            "hovertemplate": "%{y}: %{x:.0%}<extra></extra>",
        }
        for (score, parts), color, shape in zip(
            facts.importances.items(), (BLUE, ORANGE), ("", "/"), strict=False
        )
    ]  # fmt: skip
    layout = _layout(
        {"title": {"text": "part in reaching the best"}, "tickformat": ".0%", "range": [0, 1]},
        {"type": "category"},
    )
    layout |= {"barmode": "group", "height": 150 + 34 * len(order) * len(data)}
    top = order[-1]
    said = f"{names[top]} decides most: {first[top]:.0%} of {next(iter(facts.importances))}."
    return Chart(data, layout, said)


def curves(facts: Facts) -> Chart | None:
    """The watched score after each epoch: the best candidates' by name, the others' behind."""
    drawn = [row for row in facts.rows if row.curve]
    if not drawn:
        return None
    chosen = {number: style for number, style in zip(facts.nets, SERIES, strict=False)}
    others = _thinned([row for row in drawn if row.number not in chosen])
    epochs: list[int | None] = []
    values: list[float | None] = []
    for row in others:
        epochs += [*range(1, len(row.curve) + 1), None]
        values += [*row.curve, None]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": "other candidates", "x": epochs,
            "y": values, "line": _line(GREY, 1), "opacity": 0.45, "hoverinfo": "skip",
        }
    ]  # fmt: skip
    data += [
        {
            "type": "scatter", "mode": "lines+markers", "name": f"candidate {row.number}",
            "x": list(range(1, len(row.curve) + 1)), "y": list(row.curve),
            "line": _line(chosen[row.number][0], 2.5, chosen[row.number][1]),
            "marker": {"size": 5},
            "hovertemplate": f"candidate {row.number}, epoch %{{x}}: %{{y:.4~f}}<extra></extra>",
        }
        for row in drawn
        if row.number in chosen
    ]  # fmt: skip
    ticks = {"title": {"text": "epoch"}, "tickformat": "d", "rangemode": "tozero"}
    layout = _layout(ticks, _axis(facts.watched))
    longest = max(len(row.curve) for row in drawn)
    said = f"{LABELS[facts.watched]} after each of up to {longest} epochs, {len(drawn)} candidates."
    return Chart([trace for trace in data if trace["x"]], layout, said)


def parallel(facts: Facts) -> Chart | None:
    """One line a complete candidate through all that varies and the scores; the best stand out."""
    done = facts.complete
    if not done:
        return None
    name = facts.watched
    way = facts.study.score[name]
    axes = [_Scale.of(path, [row.vary.get(path) for row in done]) for path in paths(done)]
    axes += [
        _Scale.of(score, [value_of(row, score) for row in done], LABELS.get(score, score))
        for score in dict.fromkeys([facts.against, *facts.study.score])
    ]
    order = sorted(done, key=lambda row: -gain(row, name, way))
    best, half = order[: max(1, len(order) // 10)], order[: (len(order) + 1) // 2]
    groups = [
        (_thinned(order[len(half) :]), "other half", GREY, 1, 0.4),
        (_thinned(half[len(best) :]), "better half", BLUE, 1.2, 0.6),
        (_thinned(best), f"best {len(best)} in {name}", VERMILLION, 2.5, 0.9),
    ]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": safe(label), "hoverinfo": "skip",
            "x": [*range(len(axes)), None] * len(rows),
            "y": [y for row in rows for y in (*_heights(axes, row), None)],
            "line": {**_line(color, width), "shape": "linear"}, "opacity": opacity,
            "connectgaps": False,
        }
        for rows, label, color, width, opacity in groups
        if rows
    ]  # fmt: skip
    names = endings(axis.path for axis in axes)
    layout = _layout(
        {
            "tickvals": list(range(len(axes))),
            "ticktext": [safe(_cut(names[axis.path])) for axis in axes],
            "range": [-0.15, len(axes) - 0.45], "side": "top", "showgrid": True,
            "zeroline": False, "gridwidth": 2,
        },
        {"visible": False, "range": [-0.16, 1.06]},
    )  # fmt: skip
    layout["annotations"] = [
        {
            "x": index, "y": height, "text": safe(_cut(text)), "showarrow": False,
            "xanchor": "left", "xshift": 4, "font": {"size": 11},
        }
        for index, axis in enumerate(axes)
        for height, text in axis.ticks()
    ]  # fmt: skip
    layout |= {"height": 440, "margin": {"t": 70, "l": 20, "r": 60, "b": 20}}
    layout["legend"] |= {"y": -0.02, "yanchor": "top"}
    said = f"Values of {len(axes)} parameters and scores for {len(done)} complete candidates."
    return Chart(data, layout, said)


@dataclass(frozen=True)
class _Scale:
    """An axis of the parallel coordinates: numbers, or the values there are in order."""

    path: str
    low: float
    high: float
    labels: tuple[str, ...] | None
    absent: bool

    @classmethod
    def of(cls, path: str, values: Sequence[object], label: str = "") -> _Scale:
        there = [value for value in values if value is not None]
        absent = len(there) < len(values)
        numbers = [v for v in there if isinstance(v, int | float) and not isinstance(v, bool)]
        if there and len(numbers) == len(there):
            return cls(path, min(numbers), max(numbers), None, absent)
        return cls(path, 0, 1, tuple(sorted({plain(value) for value in there})), absent)

    def height(self, value: Any) -> float:
        """Where a value is, 0 to 1; below 0 where the candidate has none."""
        if value is None:
            return -0.1
        if self.labels is not None:
            last = len(self.labels) - 1
            return self.labels.index(plain(value)) / last if last else 0.5
        width = self.high - self.low
        return (value - self.low) / width if width else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Heights with their texts."""
        marks = [(-0.1, "not there")] if self.absent else []
        if self.labels is not None:
            last = len(self.labels) - 1
            return marks + [(i / last if last else 0.5, t) for i, t in enumerate(self.labels)]
        if self.low == self.high:
            return [*marks, (0.5, _number(self.low))]
        return [*marks, (0, _number(self.low)), (1, _number(self.high))]


def _heights(axes: Sequence[_Scale], row: Row) -> list[float]:
    values = (
        row.vary.get(axis.path, value_of(row, axis.path) if axis.path in LABELS else None)
        for axis in axes
    )
    return [round(axis.height(value), 4) for axis, value in zip(axes, values, strict=True)]


def _number(value: float) -> str:
    return short(value) if value >= 1000 else f"{value:.4g}"


def _points(
    rows: Sequence[Row], x: str, y: str, name: str, color: str, symbol: str, size: int
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [row.number if x == "number" else _of(row, x) for row in rows],
        "y": [_of(row, y) for row in rows],
        "text": [_hover(row, dict.fromkeys([y, x, "params", "macs"])) for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "symbol": symbol, "size": size},
    }  # fmt: skip


def _hover(row: Row, figures: Iterable[str]) -> str:
    known = [(name, value_of(row, name)) for name in figures]
    said = [f"{name} {figure(name, value)}" for name, value in known if value is not None]
    names = endings(row.vary) if row.vary else {}
    said += [f"{name} = {plain(row.vary[path])}" for path, name in names.items()]
    return "<br>".join([f"candidate {row.number}", *map(safe, said)])


def _of(row: Row, name: str) -> float:
    value = value_of(row, name)
    assert value is not None, name
    return value


def _numbered(rows: Sequence[Row]) -> str:
    shown = ", ".join(str(row.number) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"candidate{'s' if len(rows) > 1 else ''} {shown}{more}"


def _thinned(rows: list[Row]) -> list[Row]:
    return rows[:: -(-len(rows) // MOST)] if len(rows) > MOST else rows


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


def _line(color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    return {"color": color, "width": width, "dash": dash}


def _axis(name: str) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": safe(LABELS.get(name, name))}}
    if name not in ("top1", "loss"):
        axis |= {"tickformat": "~s", "rangemode": "tozero"}
    return axis


def _layout(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return {
        "height": 380,
        "margin": {"t": 40, "r": 16, "l": 56, "b": 52},
        "xaxis": x,
        "yaxis": y,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }
