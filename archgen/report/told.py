"""What a report says in words and tables, whether as HTML or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from archgen.report.facts import Facts, error_of, paths, spoken
from archgen.study.report import Row, gain, value_of
from archgen.view import endings, figure, plain, varied

STATES = {
    "running": "is running",
    "complete": "is complete",
    "exhausted": "ended when no candidate was left to train",
    "stopped": "was stopped and can go on",
    "damaged": "cannot be read",
}
CALLS = 4
"""Calls of a search that are shown, the last ones."""


@dataclass(frozen=True)
class Table:
    """A table; ``>`` before a heading sets the column to the right."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]


def headline(facts: Facts) -> list[str]:
    """What was searched, within which limits, how it ended and what came out: sentences."""
    study = facts.study
    goals = " and ".join(f"{way} {name}" for name, way in study.score.items())
    said = [
        f"{goals[0].upper()}{goals[1:]}: {study.net.name} with {_count(len(study.vary), 'choice')} "
        f"({', '.join(study.vary)}), trained on {study.train.data} for "
        f"{_count(study.train.epochs, 'epoch')} each"
        + (f", with {limits(facts)}." if study.keep else ", without limits.")
    ]
    ended = f"{facts.trained} of {_count(facts.trials, 'candidate')} trained"
    when = f"{facts.changed:%Y-%m-%d %H:%M %Z}"
    said.append(f"The search {STATES[facts.state]}: {ended}; last change {when}.")
    if facts.best:
        said.append(_outcome(facts))
    return said


def _outcome(facts: Facts) -> str:
    first = facts.best[0]
    name = next(iter(facts.study.score))
    if len(facts.study.score) > 1:
        best = f"{_count(len(facts.best), 'candidate')} on the Pareto front; the best in {name} is"
    else:
        best = "The best is"
    costs = ", ".join(f"{figure(cost, first.costs[cost])} {cost}" for cost in ("params", "macs"))
    said = (
        f"{best} candidate {first.number} with {name} {figure(name, first.scores[name])} ({costs})"
    )
    test = f"; {figure('top1', first.test)} on the test split" if first.test is not None else ""
    return f"{said}{test}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def limits(facts: Facts) -> str:
    """The limits in words."""
    found = []
    for name, limit in facts.study.keep.items():
        if limit.max is not None:
            found.append(f"{name} at most {limit.max:,.0f}")
        if limit.min is not None:
            found.append(f"{name} at least {limit.min:,.0f}")
        if limit.equal is not None:
            found.append(f"{name} within {limit.within} of {limit.equal:,.0f} by {limit.by}")
    return " and ".join(found)


def best_table(facts: Facts) -> Table:
    """The best candidates: scores, costs, test accuracy where it is known, and what varies."""
    figures = list(dict.fromkeys([*facts.study.score, "params", "macs"]))
    tested = any(row.test is not None for row in facts.best)
    names = endings(paths(facts.best))
    rows = []
    for row in facts.best:
        values = [value_of(row, name) for name in figures]
        cells = ["" if v is None else figure(n, v) for n, v in zip(figures, values, strict=True)]
        if tested:
            cells.append("" if row.test is None else figure("top1", row.test))
        said = varied(facts.study, row)
        rows.append([row.number, *cells, *[said.get(path, "") for path in names]])
    headings = [*figures, *["test top1"] * tested]
    caption = "Scores are of the validation split; params and macs (for one image) are exact."
    return Table(caption, [">candidate", *[f">{name}" for name in headings], *names.values()], rows)


def records(facts: Facts) -> Table:
    """The candidates that were the best so far when they were complete."""
    name, way = facts.watched, facts.study.score[facts.watched]
    rows: list[Row] = []
    for row in facts.complete:
        if not rows or gain(row, name, way) > gain(rows[-1], name, way):
            rows.append(row)
    cells = [(row.number, figure(name, row.scores[name])) for row in rows]
    return Table("Each best so far", [">candidate", f">{name}"], cells)


def quantiles(facts: Facts) -> Table:
    """The errors that parts of the complete candidates stay within."""
    errors = sorted(error_of(row, facts.watched) for row in facts.complete)
    parts = (("best", 0.0), ("25%", 0.25), ("50%", 0.5), ("75%", 0.75), ("all", 1.0))
    unit = "%" if facts.watched == "top1" else ""
    cells = [
        (name, f"{errors[max(0, ceil(part * len(errors)) - 1)]:.3g}{unit}")
        for name, part in parts
        if errors
    ]
    return Table("Errors", ["part of the networks", ">error at most"], cells)


def importance_table(facts: Facts) -> Table | None:
    """Each parameter's part in reaching the best of each score."""
    if not facts.importances:
        return None
    scores = list(facts.importances)
    names = dict.fromkeys(name for parts in facts.importances.values() for name in parts)
    words = spoken(facts.study, facts.complete)
    rows = [
        [words[name], *[f"{facts.importances[s].get(name, 0):.1%}" for s in scores]]
        for name in names
    ]
    return Table("Importances", ["parameter", *[f">best {score}" for score in scores]], rows)


def environment(facts: Facts) -> Table | None:
    """What each call of the search wrote about its machine: a row a fact, a column a call."""
    if not facts.runs:
        return None
    shown = facts.runs[-CALLS:]
    keys = dict.fromkeys(key for run in shown for key in run if run[key] is not None)
    keys.pop("started", None)
    rows = [[key, *[_told(run.get(key)) for run in shown]] for key in keys]
    said = f"The last {len(shown)} of {len(facts.runs)} calls, by when they began"
    return Table(said, ["", *[_told(run.get("started")) for run in shown]], rows)


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(_told, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(inner)}" for key, inner in value.items())
    return plain(value)
