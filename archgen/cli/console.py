"""Printing: tables and text for people, JSON for programs, one red line for mistakes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 240
"""Columns of a table that no terminal shows."""


def complain(message: str) -> None:
    """Print a mistake: one red line on standard error."""
    colour = None if os.environ.get("NO_COLOR") else "red"
    typer.secho(f"error: {one_line(message)}", fg=colour, err=True)


def note(message: str) -> None:
    """Print something that the user should know, on standard error."""
    typer.echo(one_line(message), err=True)


def one_line(text: str) -> str:
    """Keep a text on one line and its control characters from the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {value!r}")


def print_text(text: str) -> None:
    """Print text as it is."""
    typer.echo(text, nl=not text.endswith("\n"))


@cache
def console(*, err: bool = False) -> Console:
    """Give rich's console; what is piped is not folded to a terminal's width."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    free = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(
        stderr=err, highlight=False, markup=False, emoji=False,
        width=PIPED_WIDTH if free else None,
    )  # fmt: skip


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, elastic: Sequence[str] = ()
) -> Table:
    """Lay out a table.

    Args:
        columns: Headings; one that starts with ``>`` is of numbers and stands right.
        rows: Cells.
        elastic: Headings of columns that are cut where the terminal is narrow.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    laid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for heading in columns:
        name = heading.removeprefix(">")
        laid.add_column(
            name,
            justify="right" if heading.startswith(">") else "left",
            no_wrap=True,
            overflow="ellipsis" if name in elastic else "fold",
            ratio=1 if name in elastic else None,
        )
    for row in rows:
        laid.add_row(*[Text(str(cell)) for cell in row])
    return laid


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, elastic: Sequence[str] = ()
) -> None:
    """Print a table; arguments as for `table`."""
    console().print(table(columns, rows, elastic=elastic))
