"""Printing: tables and text for people, JSON for programs, one red line for mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from io import StringIO
from pathlib import Path
from typing import Any, cast

import typer

GAP = 2
"""Spaces between columns: a cell's padding and rich's divider."""
RULE = "    \n    \n -  \n    \n    \n    \n    \n    \n"
"""The lines of a table, as rich writes boxes: one below the headings."""
NARROWEST = 6
"""Characters that an elastic column keeps."""
FIGURE = re.compile(r"\d\S*( +(\d\S*|MiB))?")
"""A cell that is a number or two, which mean something else when they are cut."""


def complain(message: str) -> None:
    """Print a mistake: one line on standard error, red on a terminal."""
    typer.echo(_styled(f"error: {one_line(message)}", fg="red"), err=True)


def note(message: str) -> None:
    """Print a line that the user should see, on standard error."""
    typer.echo(one_line(message), err=True)


def one_line(text: str) -> str:
    """Keep a text on one line, and its control characters from the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def print_text(text: str) -> None:
    """Print text as it is, with a line break at its end."""
    typer.echo(text, nl=not text.endswith("\n"))


def print_json(value: Any) -> None:
    """Print one JSON document; dataclasses are objects, paths strings."""
    typer.echo(json.dumps(value, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {value!r}")


@contextmanager
def working(on: str) -> Iterator[None]:
    """Show on a terminal that something takes its time."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{on} ..."):
        yield


@contextmanager
def measuring() -> Iterator[Callable[[float], None]]:
    """Show on a terminal how far it is, from 0 to 1; nothing is drawn while a clock runs."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("measuring", total=1)
        yield lambda done: bar.update(task, completed=done, refresh=True)


def threads_said(count: int) -> str:
    """Say how many threads."""
    return "1 thread" if count == 1 else f"{count} threads"


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, elastic: Sequence[str] = ()
) -> None:
    """Print a table; arguments as for `lay_out`. What is piped is never cut."""
    head, *lines = lay_out(headings, rows, elastic=elastic, width=terminal_width())
    typer.echo("\n".join([_styled(head, bold=True), *lines]))


def lay_out(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    elastic: Sequence[str] = (),
    width: int | None = None,
) -> list[str]:
    """Lay out a table as lines.

    Args:
        headings: One a column; ``>`` before a heading sets the column to the right.
        rows: The cells.
        elastic: Columns whose texts may be cut, so that the rest fits; figures never are.
        width: Characters in a line; None for as many as it takes.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[one_line(str(cell)) for cell in row] for row in rows]
    table = Table(box=Box(RULE, ascii=True), show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    least, most = -GAP, -GAP
    for heading, *column in zip(headings, *cells, strict=True):
        name = heading.removeprefix(">")
        widest = max(map(len, [name, *column]))
        narrowest = _narrowest([name, *column]) if name in elastic else widest
        least, most = least + narrowest + GAP, most + widest + GAP
        table.add_column(
            Text(name, no_wrap=True),
            justify="right" if name != heading else "left",
            no_wrap=name not in elastic,
            min_width=narrowest,
        )
    for row in cells:
        table.add_row(*[Text(cell, no_wrap=True, overflow="ellipsis") for cell in row])
    fitting = most if width is None else min(most, max(least, width))
    page = Console(file=StringIO(), width=fitting)
    page.print(table)
    return [line.rstrip() for line in cast("StringIO", page.file).getvalue().splitlines()]


def _narrowest(cells: Iterable[str]) -> int:
    """Give the characters that an elastic column of these cells keeps."""
    return max(len(cell) if FIGURE.fullmatch(cell) else min(NARROWEST, len(cell)) for cell in cells)


def terminal_width() -> int | None:
    """Give the width of the terminal; None where standard output is none."""
    if not ((sys.stdout and sys.stdout.isatty()) or "COLUMNS" in os.environ):
        return None
    return shutil.get_terminal_size().columns


def _styled(text: str, **style: Any) -> str:
    """Style text; typer takes the style away again where there is no terminal."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)
