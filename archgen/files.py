"""Where the specs and studies of archgen lie, and writing a file whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NoReturn, TypeAlias

from archgen.errors import ArchError

Kind: TypeAlias = Literal["specs", "studies"]

_PACKAGE = Path(__file__).resolve().parent
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
_SINGULAR = {"specs": "spec", "studies": "study"}
_NEAR = 4


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write a file so that at every moment it is the old one or the whole new one.

    Args:
        path: The file; through a link, what it points to. An existing file keeps its mode.
        content: All of it; a string is written as UTF-8.

    Raises:
        ArchError: The file could not be written; what was there is still there.
    """
    try:
        data = content.encode() if isinstance(content, str) else content
        target = Path(os.path.realpath(path))
        mode = _mode(target)
    except (OSError, ValueError) as error:
        _refuse(path, error)
    if not target.parent.is_dir():
        raise ArchError("", f"cannot write: there is no folder {target.parent}", file=str(path))
    temporary = target.parent / f".archgen-{secrets.token_hex(8)}.tmp"
    try:
        _write_synced(temporary, data, mode)
        temporary.replace(target)
    except OSError as error:
        _refuse(path, error)
    finally:
        # Still there only after a failure or an interruption.
        with suppress(OSError):
            temporary.unlink()


def check_file(path: Path) -> None:
    """Refuse what is no regular file of weights.

    Raises:
        ArchError: There is nothing, a folder, or a device or pipe, which might never end.
    """
    if path.is_dir():
        inside = sorted(path.glob("*.safetensors"))
        which = inside[0] if len(inside) == 1 else "the .safetensors or .pth in it"
        raise ArchError("", f"is a folder; give {which}", file=str(path))
    if not path.is_file():
        message = "is no regular file" if path.exists() else "no such file"
        raise ArchError("", message, file=str(path))


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Make a folder, and those around it; after an error, new empty ones are gone again.

    Raises:
        ArchError: It cannot be made or written to, or is a file.
    """
    from tempfile import TemporaryFile

    try:
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchError("", f"cannot make this folder: {reason(error)}", file=str(folder)) from None
    try:
        try:
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            _refuse(folder, error)
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):
                path.rmdir()
        raise


def _mode(target: Path) -> int | None:
    """Give the mode of the file to replace, None if there is none; OSError if it must stay."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    # A replaced /dev/null or pipe would be gone for every program.
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError("not a regular file")
    # To replace needs only the right to change the folder; a read-only file shall stay as well.
    os.close(os.open(target, os.O_WRONLY))
    return stat.S_IMODE(mode)


def _write_synced(temporary: Path, data: bytes, mode: int | None) -> None:
    with temporary.open("xb") as stream:
        if mode is not None:
            temporary.chmod(mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _refuse(path: str | Path, error: OSError | ValueError) -> NoReturn:
    raise ArchError("", f"cannot write: {reason(error)}", file=str(path)) from None


def reason(error: OSError | ValueError) -> str:
    """Say in a few words what the system refused."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def library(kind: Literal["specs", "studies", "app"]) -> Path:
    """Give the folder that ships with archgen: in an installed package, or in a checkout."""
    installed = _PACKAGE / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def names(kind: Kind) -> list[str]:
    """List what :func:`find` knows by name, sorted."""
    stems = (path.stem for path in library(kind).glob("*.yaml"))
    return sorted(stem for stem in stems if _NAME.fullmatch(stem))


def find(kind: Kind, name_or_path: str) -> Path:
    """Find a file by its path, or by its name in the library.

    Args:
        kind: Which library.
        name_or_path: A path if it has a separator or ends in .yaml or .yml, else a name.

    Raises:
        ArchError: There is no such file; the message says where it was looked for and what
            is near.
    """
    separators = [separator for separator in ("/", os.sep, os.altsep) if separator]
    if name_or_path.endswith((".yaml", ".yml")) or any(s in name_or_path for s in separators):
        return _existing(kind, name_or_path)
    path = library(kind) / f"{name_or_path}.yaml"
    if _NAME.fullmatch(name_or_path) and path.is_file():
        return path
    hint = f"archgen list shows all {len(names(kind))}; a path ends in .yaml"
    raise ArchError("", f"{unknown(kind, name_or_path)} ({hint})")


def _existing(kind: Kind, given: str) -> Path:
    path = Path(given)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise ArchError("", _missing(kind, path), file=given) from None
    except (OSError, ValueError) as error:
        raise ArchError("", f"cannot read: {reason(error)}", file=given) from None
    if is_folder:
        message = f"a directory, expected a YAML file or the name of a {_SINGULAR[kind]}"
        raise ArchError("", message, file=given)
    return path


def _missing(kind: Kind, path: Path) -> str:
    folder = path.parent.resolve()
    if not folder.is_dir():
        return f"no such file: there is no folder {folder}"
    try:
        beside = [entry.name for entry in folder.iterdir() if entry.suffix in (".yaml", ".yml")]
    except OSError as error:
        return f"no such file in {folder} ({reason(error)})"
    message = f"no such file in {folder}{_near(path.name, beside)}"
    if path.stem in names(kind):
        message += f" ({path.stem!r} alone is the {_SINGULAR[kind]} in the library)"
    return message


def unknown(kind: Kind, given: str) -> str:
    """Say that a library has nothing of this name, and what is near."""
    near = _near(given.lower(), names(kind))
    return f"no {_SINGULAR[kind]} {given!r} in the library{near}"


def _near(given: str, known: list[str]) -> str:
    close = get_close_matches(given, sorted(known), n=_NEAR)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
