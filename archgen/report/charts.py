"""The figures of a report, as plotly.js takes them: plain data and layout. Imports no plotly.

Every text that comes from a study or a record goes through `safe`: plotly reads a subset of HTML
in its texts. Colours are Okabe and Ito's, which colour-blind people can tell apart; marks differ
in form as well. Colours of text, axes and grid are the page's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar

from archgen.report.facts import LABELS, Facts, error_of, named, spoken
from archgen.study.report import Row, gain, value_of
from archgen.study.space import Study
from archgen.view import endings, figure, plain, short, varied

T = TypeVar("T")
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY = "#8C8C8C"
SERIES = ((VERMILLION, "solid"), (BLUE, "dash"), (GREEN, "dot"))
MOST = 400
"""Lines of candidates in one figure; of more, every n-th is drawn."""
FEW = 10
"""An axis of so many whole numbers has a tick for each: plotly alone would put some between."""
STEPS = 6
"""Different numbers of a parameter that have a place each on an axis."""
ABSENT = -0.1
"""Where an axis has candidates without its parameter."""
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
        _points(facts.study, others, x, y, "other candidates", BLUE, "circle", 7),
        _points(facts.study, first, x, y, named, VERMILLION, "diamond", 11)
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
                "x": limit.max, "y": 0, "yref": "paper", "text": "limit", "showarrow": False,
                "xanchor": "right", "yanchor": "bottom",
            }
        ]  # fmt: skip
    said = f"Of {_candidates(len(done))} the {named} {'has' if two else 'is'} {_numbered(first)}."
    return Chart([trace for trace in data if trace["x"]], layout, said)


def history(facts: Facts) -> Chart | None:
    """The watched score in the order of asking, and the best so far."""
    name, done = facts.watched, facts.complete
    if not done:
        return None
    way = facts.study.score[name]
    bests: list[Row] = []
    for row in done:
        ahead = not bests or gain(row, name, way) > gain(bests[-1], name, way)
        bests.append(row if ahead else bests[-1])
    numbers = [row.number for row in done]
    data = [
        _points(facts.study, done, "number", name, "complete", BLUE, "circle", 7),
        {
            "type": "scatter", "mode": "lines", "name": "best so far", "hoverinfo": "skip",
            "x": numbers, "y": [_of(row, name) for row in bests],
            "line": {**_line(VERMILLION, 2), "shape": "hv"},
        },
    ]  # fmt: skip
    last = max(row.number for row in facts.rows)
    layout = _layout(_counted("candidate (order of asking)", 0, last), _axis(name))
    early = [row for row in facts.rows if row.state == "pruned"]
    if early:
        # Their last values are of earlier epochs: as a rug they do not press the others flat.
        values = [_of(row, name) for row in done]
        low, high = min(values), max(values)
        room = (high - low or abs(high) or 1.0) * 0.08
        rug = low - room if way == "maximize" else high + room
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": "given up early",
                "x": [row.number for row in early], "y": [rug] * len(early),
                "text": [_hover(facts.study, row, facts.study.score) for row in early],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": GREY, "symbol": "x-thin-open", "size": 8},
            }
        )  # fmt: skip
    end = bests[-1]
    said = f"Candidate {end.number} was the first with {name} {figure(name, _of(end, name))}."
    return Chart(data, layout, said)


def distribution(facts: Facts) -> Chart | None:
    """The fraction of complete candidates whose error is below e (arXiv:2003.13678)."""
    errors = sorted(error_of(row, facts.watched) for row in facts.complete)
    if not errors:
        return None
    count, room = len(errors), (errors[-1] - errors[0] or 1.0) * 0.05
    label = "validation top-1 error e (%)" if facts.watched == "top1" else LABELS[facts.watched]
    data = [
        {
            "type": "scatter", "mode": "lines", "showlegend": False,
            "x": [max(0, errors[0] - room), *errors, errors[-1] + room],
            "y": [0, *(index / count for index in range(1, count + 1)), 1],
            "line": {**_line(BLUE, 3), "shape": "hv"},
            "hovertemplate": "%{y:.0%} of the networks: e at most %{x:.4~g}<extra></extra>",
        }
    ]  # fmt: skip
    layout = _layout(
        {"title": {"text": label}},
        {"title": {"text": "fraction of networks"}, "range": [0, 1.03], "tickformat": ".0%"},
    )
    middle = f"{errors[(count - 1) // 2]:.3g}{'%' if facts.watched == 'top1' else ''}"
    said = f"Half of {count} candidates have an error of at most {middle}."
    if count == 1:
        said = f"The only candidate has an error of {middle}."
    return Chart(data, layout, said)


def importance(facts: Facts) -> Chart | None:
    """Each parameter's part in reaching the best of each score."""
    if not facts.importances:
        return None
    first = next(iter(facts.importances.values()))
    order, names = list(first), spoken(facts.study, facts.complete)
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
        {"type": "category", "autorange": "reversed", "ticksuffix": " "},
    )
    layout |= {"barmode": "group", "height": 150 + 34 * len(order) * len(data)}
    top = order[0]
    said = f"{names[top]} decides most: {first[top]:.0%} of {next(iter(facts.importances))}."
    return Chart(data, layout, said)


def curves(facts: Facts) -> Chart | None:
    """The error after each epoch: the networks that are shown by name, the others behind.

    On a logarithmic axis, since what tells good networks apart is the end.
    """
    name = facts.watched
    drawn = {
        row.number: _errors(row, name)
        for row in facts.rows
        if row.curve and row.state != "duplicate"
    }
    if not drawn:
        return None
    least = min((e for errors in drawn.values() for e in errors if e > 0), default=1.0) / 2
    chosen = dict(zip(facts.nets, SERIES, strict=False))
    epochs: list[int | None] = []
    values: list[float | None] = []
    for number in _thinned([number for number in drawn if number not in chosen]):
        epochs += [*range(1, len(drawn[number]) + 1), None]
        values += [*(max(error, least) for error in drawn[number]), None]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": "other candidates", "x": epochs,
            "y": values, "line": _line(GREY, 1), "opacity": 0.45, "hoverinfo": "skip",
        }
    ]  # fmt: skip
    data += [
        {
            "type": "scatter", "mode": "lines+markers", "name": f"candidate {number}",
            "x": list(range(1, len(drawn[number]) + 1)),
            "y": [max(error, least) for error in drawn[number]],
            "line": _line(color, 2.5, dash), "marker": {"size": 5},
            "hovertemplate": f"candidate {number}, epoch %{{x}}: %{{y:.4~g}}<extra></extra>",
        }
        for number, (color, dash) in chosen.items()
        if number in drawn
    ]  # fmt: skip
    label = "validation top-1 error (%)" if name == "top1" else LABELS[name]
    longest = max(map(len, drawn.values()))
    layout = _layout(
        _counted("epoch", 1, longest),
        {"title": {"text": label}, "type": "log", "dtick": "D2", "tickformat": "~g"},
    )
    said = (
        f"{_candidates(len(drawn))}, up to {longest} epochs; the axis of the error is logarithmic."
    )
    return Chart([trace for trace in data if trace["x"]], layout, said)


def _candidates(count: int) -> str:
    return f"{count} candidate{'' if count == 1 else 's'}"


def _counted(title: str, first: int, last: int) -> dict[str, Any]:
    """An axis of whole numbers, with room for the markers of the first and the last."""
    room = max(0.5, 0.02 * (last - first))
    few = {"dtick": 1} if last - first <= FEW else {}
    return {"title": {"text": title}, "range": [first - room, last + room], **few}


def _errors(row: Row, name: str) -> list[float]:
    """A curve as errors: 100 - top1 in percent, or the loss."""
    return [100 - value for value in row.curve] if name == "top1" else list(row.curve)


def parallel(facts: Facts) -> Chart | None:
    """One line a complete candidate through all that varies and the scores; the best stand out."""
    done = facts.complete
    if not done:
        return None
    name = facts.watched
    way = facts.study.score[name]
    words = spoken(facts.study, done)
    scores = list(dict.fromkeys([facts.against, *facts.study.score]))
    values = {
        row.number: [
            *map(named(facts.study, row).get, words),
            *[value_of(row, score) for score in scores],
        ]
        for row in done
    }
    titles = [*words.values(), *scores]
    steps = [STEPS] * len(words) + [0] * len(scores)
    axes = [
        _Scale.of(*each) for each in zip(zip(*values.values(), strict=True), steps, strict=True)
    ]
    order = sorted(done, key=lambda row: (-gain(row, name, way), row.costs["macs"], row.number))
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
            "y": [y for row in rows for y in (*_heights(axes, values[row.number]), None)],
            "line": {**_line(color, width), "shape": "linear"}, "opacity": opacity,
            "connectgaps": False,
        }
        for rows, label, color, width, opacity in groups
        if rows
    ]  # fmt: skip
    layout = _layout(
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
            "x": index, "y": height, "text": safe(_cut(text)), "showarrow": False,
            "xanchor": side, "xshift": 5 * (side == "left"), "font": {"size": points},
        }
        for index, height, text, side, points in heads + ticks
        if text
    ]  # fmt: skip
    layout |= {"height": 440, "margin": {"t": 8, "l": 8, "r": 8, "b": 40}}
    layout["legend"] |= {"y": -0.02, "yanchor": "top"}
    said = f"{_candidates(len(done))}; the best tenth in {name} stands out."
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


def _points(
    study: Study, rows: Sequence[Row], x: str, y: str, name: str, color: str, symbol: str, size: int
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [row.number if x == "number" else _of(row, x) for row in rows],
        "y": [_of(row, y) for row in rows],
        "text": [_hover(study, row, dict.fromkeys([y, x, "params", "macs"])) for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "symbol": symbol, "size": size},
    }  # fmt: skip


def _hover(study: Study, row: Row, figures: Iterable[str]) -> str:
    known = [(name, value_of(row, name)) for name in figures]
    said = [f"{name} {figure(name, value)}" for name, value in known if value is not None]
    values = varied(study, row)
    said += [f"{name} = {values[path]}" for path, name in endings(values).items()]
    return "<br>".join([f"candidate {row.number}", *map(safe, said)])


def _of(row: Row, name: str) -> float:
    value = value_of(row, name)
    assert value is not None, name
    return value


def _numbered(rows: Sequence[Row]) -> str:
    shown = ", ".join(str(row.number) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"candidate{'s' if len(rows) > 1 else ''} {shown}{more}"


def _thinned(rows: list[T]) -> list[T]:
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
