"""A search as it goes: a live table on a terminal, else a line a candidate."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archgen.cli.console import lay_out, note, print_text, terminal_width

if TYPE_CHECKING:
    from rich.console import Group

    from archgen.study import Row, Status, Study

RECENT = 8
"""Rows of the live table."""


def candidate_headings(study: Study) -> list[str]:
    """Give the headings that go with `candidate_cells`."""
    return [">candidate", *[f">{name}" for name in _figures(study)], "values"]


def candidate_cells(study: Study, rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Give a table's cells: number, scores and costs, and what varies."""
    return [
        (str(row.number), *[_figure(row, name) for name in _figures(study)], _values(study, row))
        for row in rows
    ]


def _figures(study: Study) -> list[str]:
    return list(dict.fromkeys([*study.score, "params", "macs"]))


def _figure(row: Row, name: str) -> str:
    from archgen.study.report import value_of
    from archgen.view import figure

    value = value_of(row, name)
    return "" if value is None else figure(name, value)


def _values(study: Study, row: Row) -> str:
    from archgen.view import endings, varied

    said = varied(study, row)
    return " ".join(f"{name}={said[path]}" for path, name in endings(said).items())


def headline(study: Study, status: Status) -> str:
    """Say in a line how far a search is."""
    from archgen.view import duration

    parts = [f"{study.name}: {status.trained} of {status.trials} trained"]
    if status.best:
        first = status.best[0]
        name = next(iter(study.score))
        parts.append(f"best {_figure(first, name)} (candidate {first.number})")
    parts.append(duration(status.seconds))
    if status.eta is not None:
        parts.append(f"about {duration(status.eta)} left")
    others = [
        f"{count} {state}"
        for state, count in status.counts.items()
        if state not in ("complete", "running")
    ]
    return ", ".join(parts) + (f" ({', '.join(others)})" if others else "")


@contextmanager
def progress(study: Study, *, json: bool) -> Iterator[Callable[[Status], None]]:
    """Give what `archgen.study.search` shall call; beside JSON all goes to standard error."""
    if json or not sys.stdout.isatty():
        yield _Lines(study, note if json else print_text)
        return
    from rich.live import Live
    from rich.text import Text

    with Live(Text("loading PyTorch and the data ..."), auto_refresh=False) as live:
        live.refresh()
        recent = _Recent(study)
        yield lambda status: live.update(recent.draw(status), refresh=True)


class _Lines:
    """Writes a line for each finished candidate that was trained, and the notes at the start."""

    def __init__(self, study: Study, say: Callable[[str], None]) -> None:
        self.study = study
        self.say = say

    def __call__(self, status: Status) -> None:
        row = status.row
        if row is None:
            for text in status.notes:
                self.say(text)
        elif status.said:
            self.say(status.said)
        elif row.trained or row.state == "failed":
            cells = candidate_cells(self.study, [row])[0]
            named = zip(_figures(self.study), cells[1:-1], strict=True)
            figures = " ".join(f"{name}={cell}" for name, cell in named if cell)
            reason = f" ({row.reason})" if row.reason else ""
            self.say(f"candidate {row.number} {row.state}: {figures} {cells[-1]}{reason}")
            self.say(f"  {headline(self.study, status)}")


class _Recent:
    """The live view: notes, the latest candidates that were trained, how far the search is."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.rows: dict[int, Row] = {}
        self.said: list[str] = []

    def draw(self, status: Status) -> Group:
        from rich.console import Group
        from rich.text import Text

        row = status.row
        for one in (*status.running, *([row] if row is not None else [])):
            if one.trained or one.state in ("running", "failed"):
                self.rows[one.number] = one
        if status.said:
            self.said.append(status.said)
        shown = list(self.rows.values())[-RECENT:]
        cells = [
            (number, f"{row.epochs}/{status.epochs}", row.state, *rest)
            for row, (number, *rest) in zip(shown, candidate_cells(self.study, shown), strict=True)
        ]
        number, *rest = candidate_headings(self.study)
        headings = [number, ">epoch", "state", *rest]
        lines = lay_out(headings, cells, elastic=["values"], width=terminal_width())
        notes = [Text(text, style="yellow") for text in (*status.notes, *self.said[-RECENT:])]
        told = Text(headline(self.study, status), style="bold")
        return Group(*notes, *map(Text, lines), told)
