"""The formats that files of weights have: read safely, and a damaged one is one clear line."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any
from warnings import catch_warnings
from zipfile import BadZipFile, ZipFile

import torch
from safetensors import SafetensorError, safe_open
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from archgen.errors import ArchError, first
from archgen.files import check_file, reason

ZIP, PICKLE = b"PK", b"\x80"
"""How files begin that ``torch.save`` writes, or wrote before PyTorch 1.6."""
LENGTH = 8
"""Bytes of a safetensors file before its header, whose first is a brace."""
CHUNK = 1 << 20


def is_safetensors(path: Path) -> bool:
    """Whether a file is of this format; of an unknown one its suffix says what it should be.

    Raises:
        ArchError: It is empty, no regular file, or cannot be read.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(LENGTH + 1)
    except OSError as error:
        raise _unreadable(path, reason(error)) from None
    if not start:
        raise _unreadable(path, "the file is empty")
    other = path.suffix != ".safetensors" or start.startswith((ZIP, PICKLE))
    return start[LENGTH:] == b"{" or not other


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Give the tensors of a safetensors file, and its metadata.

    Raises:
        ArchError: It cannot be read.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except OSError as error:
        raise _unreadable(path, reason(error)) from None
    except SafetensorError:
        with path.open("rb") as content:
            known = content.read(LENGTH + 1)[LENGTH:] == b"{"
        what = "truncated or damaged" if known else "not a .safetensors file"
        raise _unreadable(path, f"it is {what}") from None


def read_saved(path: Path) -> Any:
    """Give what ``torch.save`` wrote; nothing in the file is executed.

    Raises:
        ArchError: It cannot be read, a checksum in it is wrong, or it holds more than data.
    """
    try:
        _check_sums(path)
        # Trainers write their options beside the weights; a Namespace runs no code. What torch
        # warns of (archives of TorchScript, sparse tensors) is refused in a line.
        # Given a path, torch would go by its suffix.
        with (
            safe_globals([Namespace]),
            catch_warnings(action="ignore"),
            path.open("rb") as file,
        ):
            return torch.load(file, map_location="cpu", weights_only=True)
    except ArchError:
        raise
    except OSError as error:
        raise _unreadable(path, reason(error)) from None
    except Exception:  # torch and pickle raise whatever a damaged file leads them to
        raise _unreadable(path, _refusal(path)) from None


def _check_sums(path: Path) -> None:
    """Compare the checksums of an archive, which torch does not look at.

    Raises:
        ArchError: One is wrong.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.CRC:  # torch.serialization.set_crc32_options(False) leaves them out
                continue
            try:
                with archive.open(entry) as content:
                    while content.read(CHUNK):
                        pass
            except BadZipFile:
                message = f"it is damaged: the checksum of {entry.filename} is wrong"
                raise _unreadable(path, message) from None


def _refusal(path: Path) -> str:
    """Say why torch refuses a file."""
    try:
        refused = get_unsafe_globals_in_checkpoint(path)
    except Exception:  # as above
        with path.open("rb") as file:
            known = file.read(len(ZIP)) == ZIP
        if known:
            return "it is truncated or damaged"
        return "neither a .safetensors file nor a sound one that torch.save wrote"
    others = [name for name in refused if name != "argparse.Namespace"]
    if not others:
        return "damaged, or not tensors by name"
    return f"it holds {first(others)}, which is not executed; save its state_dict alone"


def _unreadable(path: Path, why: str) -> ArchError:
    return ArchError("", f"cannot read these weights: {why}", file=str(path))
