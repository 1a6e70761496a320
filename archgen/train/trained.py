"""What a file of weights says of the run that left them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from json import loads
from pathlib import Path
from typing import Any


def said_by(path: Path) -> dict[str, str]:
    """Give the metadata of a ``.safetensors`` file; none of what is no such file.

    Trained weights say on which ``data``.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def outcome(path: Path, about: Mapping[str, str]) -> dict[str, Any] | None:
    """Give what a finished run told in its end; None where these are not its weights.

    Args:
        path: The file that it would have left.
        about: Which run it is, in the words of the file's metadata.
    """
    said = said_by(path)
    ours = "run" in said and said.items() >= about.items()
    return dict(loads(said["run"])) if ours else None
