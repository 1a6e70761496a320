"""The figures of a report but the parallel coordinates, as plain data. Imports no plotly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archgen.report.facts import LABELS, Facts, error_of, spoken
from archgen.report.traces import (
    POINTS,
    Chart,
    axis,
    candidates,
    counted,
    cut,
    hover,
    known_value,
    layout_of,
    line_of,
    points_of,
    safe,
    thinned,
)
from archgen.study.report import Row, gain, value_of
from archgen.view import figure
from archgen.view.colours import BLUE, GREY, ORANGE, STYLES, VERMILLION


def trade_off(facts: Facts) -> Chart | None:
    """The watched score against the other score or a cost; None without a complete candidate."""
    y, x = facts.watched, facts.against
    done = [row for row in facts.complete if value_of(row, x) is not None]
    if not done:
        return None
    leading = {row.number for row in facts.leading}
    others = [row for row in done if row.number not in leading]
    first = sorted(
        (row for row in done if row.number in leading), key=lambda row: known_value(row, x)
    )
    two = len(facts.study.score) > 1
    named = "Pareto front" if two else "best"
    data = [
        points_of(
            facts.study, thinned(others, POINTS), x, y, "other candidates", BLUE, "circle", 7
        ),
        points_of(facts.study, first, x, y, named, VERMILLION, "diamond", 11)
        | ({"mode": "lines+markers", "line": line_of(VERMILLION, 2)} if two else {}),
    ]
    layout = layout_of(axis(x), axis(y))
    limit = facts.study.keep.get(x)
    if limit is not None and limit.max is not None:
        layout["shapes"] = [
            {
                "type": "line", "x0": limit.max, "x1": limit.max, "y0": 0, "y1": 1,
                "yref": "paper", "line": line_of(GREY, 2, "dash"),
            }
        ]  # fmt: skip
        layout["annotations"] = [
            {
                "x": limit.max, "y": 0, "yref": "paper", "text": "limit", "showarrow": False,
                "xanchor": "right", "yanchor": "bottom",
            }
        ]  # fmt: skip
    said = f"Of {candidates(len(done))} the {named} {'has' if two else 'is'} {_numbered(first)}."
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
    records = {row.number for row in bests}
    others = thinned([row for row in done if row.number not in records], POINTS)
    kept = records.union(row.number for row in others)
    drawn = [row for row in done if row.number in kept]
    data = [
        points_of(facts.study, drawn, "number", name, "complete", BLUE, "circle", 7),
        {
            "type": "scatter", "mode": "lines", "name": "best so far", "hoverinfo": "skip",
            "x": numbers, "y": [known_value(row, name) for row in bests],
            "line": {**line_of(VERMILLION, 2), "shape": "hv"},
        },
    ]  # fmt: skip
    last = max(row.number for row in facts.rows)
    layout = layout_of(counted("candidate (order of asking)", 0, last), axis(name))
    early = thinned([row for row in facts.rows if row.state == "pruned"], POINTS)
    if early:
        # Their last values are of earlier epochs: as a rug they do not press the others flat.
        values = [known_value(row, name) for row in done]
        low, high = min(values), max(values)
        room = (high - low or abs(high) or 1.0) * 0.08
        rug = low - room if way == "maximize" else high + room
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": "given up early",
                "x": [row.number for row in early], "y": [rug] * len(early),
                "customdata": [row.number for row in early],
                "text": [hover(facts.study, row, facts.study.score) for row in early],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": GREY, "symbol": "x-thin-open", "size": 8},
            }
        )  # fmt: skip
    end = bests[-1]
    said = (
        f"Candidate {end.number} was the first with {name} {figure(name, known_value(end, name))}."
    )
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
            "line": {**line_of(BLUE, 3), "shape": "hv"},
            "hovertemplate": "%{y:.0%} of the networks: e at most %{x:.4~g}<extra></extra>",
        }
    ]  # fmt: skip
    layout = layout_of(
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
            "y": [safe(cut(names[path])) for path in order],
            "marker": {"color": color, "pattern": {"shape": shape}},
            "hovertemplate": "%{y}: %{x:.0%}<extra></extra>",
        }
        for (score, parts), color, shape in zip(
            facts.importances.items(), (BLUE, ORANGE), ("", "/"), strict=False
        )
    ]  # fmt: skip
    layout = layout_of(
        {"title": {"text": "part in reaching the best"}, "tickformat": ".0%", "range": [0, 1]},
        {"type": "category", "autorange": "reversed", "ticksuffix": " "},
    )
    layout |= {"barmode": "group", "height": 150 + 34 * len(order) * len(data)}
    top = order[0]
    said = f"{names[top]} decides most: {first[top]:.0%} of {next(iter(facts.importances))}."
    return Chart(data, layout, said)


def curves(facts: Facts, chosen: Iterable[int] | None = None) -> Chart | None:
    """The error after each epoch: some candidates by name, the others behind.

    On a logarithmic axis, since what tells good networks apart is the end.

    Args:
        facts: What is known.
        chosen: Numbers of those by name, as many as `STYLES`; by default the networks of a report.
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
    series = dict(zip(facts.nets if chosen is None else chosen, STYLES, strict=False))
    epochs: list[int | None] = []
    values: list[float | None] = []
    for number in thinned([number for number in drawn if number not in series]):
        epochs += [*range(1, len(drawn[number]) + 1), None]
        values += [*(max(error, least) for error in drawn[number]), None]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": "other candidates", "x": epochs,
            "y": values, "line": line_of(GREY, 1), "opacity": 0.45, "hoverinfo": "skip",
        }
    ]  # fmt: skip
    data += [
        {
            "type": "scatter", "mode": "lines+markers", "name": f"candidate {number}",
            "x": list(range(1, len(drawn[number]) + 1)),
            "y": [max(error, least) for error in drawn[number]],
            "line": line_of(color, 2.5, dash), "marker": {"symbol": mark, "size": 6},
            "hovertemplate": f"candidate {number}, epoch %{{x}}: %{{y:.4~g}}<extra></extra>",
        }
        for number, (color, dash, mark) in series.items()
        if number in drawn
    ]  # fmt: skip
    label = "validation top-1 error (%)" if name == "top1" else LABELS[name]
    longest = max(map(len, drawn.values()))
    layout = layout_of(
        counted("epoch", 1, longest),
        {"title": {"text": label}, "type": "log", "dtick": "D2", "tickformat": "~g"},
    )
    said = (
        f"{candidates(len(drawn))}, up to {longest} epochs; the axis of the error is logarithmic."
    )
    return Chart([trace for trace in data if trace["x"]], layout, said)


def _errors(row: Row, name: str) -> list[float]:
    """A curve as errors: 100 - top1 in percent, or the loss."""
    return [100 - value for value in row.curve] if name == "top1" else list(row.curve)


def _numbered(rows: Sequence[Row]) -> str:
    shown = ", ".join(str(row.number) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"candidate{'s' if len(rows) > 1 else ''} {shown}{more}"
