"""All candidates of a search as a table, and one of them beside the spec that it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archgen import files
from archgen.errors import ArchError
from archgen.explorer.shown import Shown
from archgen.ops import size
from archgen.report.facts import Facts, paths
from archgen.spec import Net, load
from archgen.study import Row, Study, candidate
from archgen.study.report import State, value_of
from archgen.view import (
    NAMES,
    Comparison,
    StageRow,
    compare,
    endings,
    exact,
    plain,
    short,
    titled,
    varied,
)

MARKS: dict[State, str] = {
    "running": "…",
    "complete": "✓",
    "pruned": "✂",
    "diverged": "∞",
    "memory": "▦",
    "infeasible": "⊘",
    "duplicate": "=",
    "failed": "✗",
}
BEST = "★ best"


def columns(facts: Facts, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Lay candidates out as columns by heading: numbers as numbers, so that they can be sorted.

    A score that comes from training is of complete candidates and their duplicates only.
    """
    best = {row.number for row in facts.leading}
    found: dict[str, list[Any]] = {
        "candidate": [row.number for row in rows],
        "state": [
            BEST if row.number in best else f"{MARKS[row.state]} {row.state}" for row in rows
        ],
    }
    for name in facts.study.score:
        found[name] = [row.scores.get(name, row.costs.get(name)) for row in rows]
    for name in ("params", "macs"):
        found.setdefault(name, [row.costs.get(name) for row in rows])
    said = _words(facts.study)
    for path, heading in endings(paths(rows)).items():
        name = path if heading in NAMES or heading in found else heading
        found[name] = _alike([said(row, path) for row in rows])
    found["epochs"] = [row.epochs for row in rows]
    found["seconds"] = [row.seconds for row in rows]
    if any(row.test is not None for row in rows):
        found["test top1"] = [row.test for row in rows]
    found["reason"] = [row.reason for row in rows]
    return found


def _words(study: Study) -> Callable[[Row, str], Any]:
    """Give a function for a candidate's value at a path: a number, or words that are made once."""
    known: dict[tuple[str, str], str] = {}

    def said(row: Row, path: str) -> Any:
        value = row.vary.get(path, row.solved.get(path))
        if value is None or type(value) in (int, float):
            return value
        key = path, str(value)
        if key not in known:
            known[key] = varied(study, row)[path]
        return known[key]

    return said


def _alike(values: list[Any]) -> list[Any]:
    """Give a column one kind of values: words, where there is a word."""
    if any(isinstance(value, str) for value in values):
        return ["" if value is None else str(value) for value in values]
    return values


def within(rows: Iterable[Row], name: str, low: float, high: float) -> list[Row]:
    """Keep the candidates whose score or cost lies between two values, these included."""
    found = ((row, value_of(row, name)) for row in rows)
    return [row for row, value in found if value is not None and low <= value <= high]


@dataclass(frozen=True)
class Opened:
    """A candidate as a network.

    Args:
        net: What it is.
        shown: The same, as a word in the address.
        beside: Compared with the study's spec, which is the second.
    """

    net: Net
    shown: Shown
    beside: Comparison


def opened(study: Study, row: Row) -> Opened:
    """Build a candidate's graph and compare it with the study's spec.

    Raises:
        ArchError: It does not build.
    """
    net = candidate(study, row.values)
    return Opened(net, Shown(*_base(study.net), row.values), compare(net, study.net))


def _base(net: Net) -> tuple[str, str]:
    """Name a spec if it is a shipped one, else give its text."""
    if net.name in files.names("specs"):
        try:
            if load(net.name).dump() == net.dump():
                return net.name, ""
        except ArchError:
            pass
    return "", net.dump()


@dataclass(frozen=True)
class Tables:
    """A candidate beside the study's spec, as columns by heading."""

    changes: dict[str, list[str]]
    figures: dict[str, list[str]]
    stages: dict[str, list[str]]


def beside(found: Comparison) -> Tables:
    """Lay a comparison of a candidate with its study's spec out."""
    changes, figures = found.spec, found.figures
    stages = [(pair.path, pair.first or StageRow(""), pair.second) for pair in found.stages]
    return Tables(
        changes={
            "path": [each.path for each in changes],
            "candidate": [plain(each.first) for each in changes],
            "study's spec": [plain(each.second) for each in changes],
        },
        figures={
            "": [titled(each.what) for each in figures],
            "candidate": [exact(each.what, each.first) for each in figures],
            "study's spec": [exact(each.what, each.second) for each in figures],
            "ratio": ["" if each.ratio is None else f"{each.ratio:.2f}" for each in figures],
        },
        stages={
            "path": [path for path, _, _ in stages],
            "block": [row.block for _, row, _ in stages],
            "output": [size(row.shape) if row.shape else "" for _, row, _ in stages],
            "parameters": [short(row.params) for _, row, _ in stages],
            "in the spec": [short(base.params) if base else "" for _, _, base in stages],
        },
    )
