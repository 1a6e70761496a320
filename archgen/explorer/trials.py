"""All candidates of a search as a table, and one of them beside the spec that it came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from archgen import files
from archgen.errors import ArchError
from archgen.explorer.shown import Shown
from archgen.ops import size
from archgen.report.facts import Facts, paths
from archgen.spec import Net, load
from archgen.study import Row, Study, candidate
from archgen.study.report import State
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
WORDS = 100
"""Numbers of candidates that are read from the address, where anyone may write."""

Ends = tuple[float | None, float | None]
"""Of a filter, below and above; None where it is open."""


def asked(word: str, rows: Iterable[Row]) -> list[int]:
    """Read the numbers of candidates, each once, and leave out those that there are not."""
    known = {str(row.number): row.number for row in rows}
    words = dict.fromkeys(word.split(",", WORDS)[:WORDS])
    return [known[one] for one in words if one in known]


def strangers(word: str, rows: Iterable[Row]) -> str:
    """Say which parts of a word in the address are no candidate's number."""
    known = {str(row.number) for row in rows}
    return ", ".join(
        one for one in dict.fromkeys(word.split(",", WORDS)[:WORDS]) if one and one not in known
    )


def marked(state: State) -> str:
    """Give a state with its mark."""
    return f"{MARKS[state]} {state}"


def columns(facts: Facts, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Lay candidates out as columns by heading: numbers as numbers, so that they can be sorted.

    A score that comes from training is of complete candidates and their duplicates only.
    """
    best = {row.number for row in facts.leading}
    found: dict[str, list[Any]] = {
        "candidate": [row.number for row in rows],
        "state": [BEST if row.number in best else marked(row.state) for row in rows],
    }
    for name in facts.study.score:
        found[name] = [_value(row, name) for row in rows]
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


def _value(row: Row, name: str) -> float | None:
    return row.scores.get(name, row.costs.get(name))


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


def kept(facts: Facts, words: Collection[str]) -> list[Row]:
    """Keep the candidates in some `marked` states, or the `BEST`; all where nothing is asked."""
    if not words:
        return [*facts.rows]
    best = {row.number for row in facts.leading} if BEST in words else set()
    return [row for row in facts.rows if marked(row.state) in words or row.number in best]


def bounds(rows: Iterable[Row], name: str) -> tuple[float, float] | None:
    """Give the least and greatest of a score or cost; None where there are no two values."""
    values = {value for row in rows if (value := _value(row, name)) is not None}
    return (float(min(values)), float(max(values))) if len(values) > 1 else None


def closed(ends: Ends, limits: tuple[float, float]) -> tuple[float, float]:
    """Put a filter's ends within the bounds of what there is now; an open one is the bound."""
    least, greatest = limits
    low, high = (one if end is None else end for end, one in zip(ends, limits, strict=True))
    return min(max(low, least), greatest), min(max(high, least), greatest)


def ends_of(span: tuple[float, float], limits: tuple[float, float]) -> Ends:
    """Give the ends of a filter over a span: one at its bound is open, and stays so."""
    (low, high), (least, greatest) = span, limits
    return None if low <= least else low, None if high >= greatest else high


def within(rows: Iterable[Row], name: str, ends: Ends) -> list[Row]:
    """Keep the candidates whose score or cost lies between two values, these included."""
    if ends == (None, None):
        return [*rows]
    low, high = (-inf if ends[0] is None else ends[0]), (inf if ends[1] is None else ends[1])
    found = ((row, _value(row, name)) for row in rows)
    return [row for row, value in found if value is not None and low <= value <= high]


def batched(rows: Sequence[Row]) -> Sequence[Row]:
    """Leave out the last ones, so that what takes its time is done with every tenth more."""
    return rows[: len(rows) - len(rows) % max(1, len(rows) // 10)]


@dataclass(frozen=True)
class Opened:
    """A candidate as a network.

    Args:
        net: What it is.
        shown: The same, for the address.
        base: The study's spec, for the address.
        beside: Compared with the study's spec, which is the second.
    """

    net: Net
    shown: Shown
    base: Shown
    beside: Comparison


def opened(study: Study, row: Row) -> Opened:
    """Build a candidate's graph and compare it with the study's spec.

    Raises:
        ArchError: It does not build.
    """
    net = candidate(study, row.values)
    base = _base(study.net)
    shown = Shown(*base, row.values)
    return Opened(net, shown, Shown(*base), compare(net, study.net))


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
