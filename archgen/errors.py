"""The one exception family of archgen: what was wrong, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ArchError(Exception):
    """A mistake in a spec, a study or a request, said in one line.

    Args:
        path: Where it is: a dotted path into the spec (``nodes.stages.width``) or the
            module path of an operation (``stages.0.0.spatial``); may be empty.
        message: What was wrong, the law that it breaks and what would be right.
        file: The file that holds the mistake, if there is one.
        line: The line in that file, counted from 1.
        field: The field of the spec's node that most likely causes it, where `path` is an
            operation's: it leads to the line.
    """

    def __init__(
        self,
        path: str,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str = "",
    ) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message
        self.file = file
        self.line = line
        self.field = field

    def __str__(self) -> str:
        place = self.file or ""
        if self.file and self.line is not None:
            place = f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.path, self.message, self.file, self.line, self.field)


def _rebuild(path: str, message: str, file: str | None, line: int | None, field: str) -> ArchError:
    return ArchError(path, message, file=file, line=line, field=field)


def unknown(what: str, given: str, known: Iterable[str]) -> str:
    """Say that no ``what`` is called ``given``, with the nearest name and all there are."""
    names = sorted(known)
    close = get_close_matches(given, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {what} {given!r}{hint} (there are: {', '.join(names) or 'none'})"


def first(names: Iterable[str], shown: int = 2) -> str:
    """List the first of some names, and how many more there are; "" for none."""
    every = [*names]
    more = f" and {len(every) - shown:,} more" if len(every) > shown else ""
    return f"{', '.join(every[:shown])}{more}"
