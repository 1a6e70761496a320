"""What a report says in words and tables, whether as HTML or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archgen.report.facts import Facts, paths, value_of
from archgen.view import endings, figure, plain

STATES = {
    "running": "is running",
    "complete": "is complete",
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
    ended = f"{facts.trained} of {_count(study.trials, 'candidate')} trained"
    when = facts.changed.isoformat(sep=" ", timespec="minutes")
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
    said = f"{best} candidate {first.number} with {name} {figure(name, first.scores[name])} ({costs})"
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
        varied = [plain(row.vary[path]) if path in row.vary else "" for path in names]
        rows.append([row.number, *cells, *varied])
    headings = [*figures, *["test top1"] * tested]
    said = "Scores are of the validation split; params and macs (for one image) are exact."
    return Table(
        said, [">candidate", *[f">{name}" for name in headings], *names.values()], rows
    )


def environment(facts: Facts) -> Table | None:
    """What each call of the search wrote about its machine: a row a fact, a column a call."""
    if not facts.runs:
        return None
    keys = dict.fromkeys(key for run in facts.runs for key in run)
    shown = facts.runs[-CALLS:]
    rows = [[key, *[_told(run.get(key)) for run in shown]] for key in keys]
    said = f"The last {len(shown)} of {len(facts.runs)} calls" if facts.runs[CALLS:] else "Calls"
    return Table(said, ["", *[_told(run.get("started")) for run in shown]], rows)


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(_told, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(inner)}" for key, inner in value.items())
    return plain(value)
