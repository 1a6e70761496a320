"""Blocks that live outside archgen: in a file that the user names, or in an installed package."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from archgen.errors import ArchError

GROUP = "archgen.blocks"


def load_file(path: str | Path) -> None:
    """Execute a Python file, so that specs know the blocks that it defines. Once a file.

    Raises:
        ArchError: There is no such file, or executing it raises.
    """
    _load(Path(path).resolve(), str(path))


@cache
def _load(path: Path, shown: str) -> None:
    if not path.is_file():
        raise ArchError("", "no such file; --blocks takes a Python file", file=shown)
    name = f"archgen_blocks_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ArchError("", "not a Python file; its name must end in .py", file=shown)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks annotations up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        said = error.msg if isinstance(error, SyntaxError) else error
        message = f"{type(error).__name__}: {said}"
        raise ArchError("", message, file=shown, line=_line(error, path)) from error


def _line(error: Exception, path: Path) -> int | None:
    """Give the last line of the file that an error passed through."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@cache
def load_installed() -> None:
    """Import all that installed packages offer in the entry-point group ``archgen.blocks``.

    Raises:
        ArchError: One of them cannot be imported.
    """
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:
            message = f"{entry.value} cannot be imported: {type(error).__name__}: {error}"
            raise ArchError(f"{GROUP} {entry.name}", message) from error
