"""``--out DIR``: what a command shall write is refused before it works, not after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archgen.errors import ArchError
from archgen.files import prepared
from archgen.train.trained import said_by

if TYPE_CHECKING:
    from archgen.spec import Net


@contextmanager
def outlet(folder: Path | None, net: Net, *, deploy: bool = False) -> Iterator[None]:
    """Make the folder of ``--out``; after an error, a new one is gone again.

    Args:
        folder: The folder; None for nothing.
        net: What will be written there.
        deploy: Its deploy form, instead.

    Raises:
        ArchError: It cannot be made or written to, or holds trained weights already.
    """
    if folder is None:
        yield
        return
    if folder.exists() and not folder.is_dir():
        raise ArchError("", "--out needs a folder, this is a file", file=str(folder))
    weights = folder / f"{net.name}{'_deploy' * deploy}.safetensors"
    if data := said_by(weights).get("data"):
        message = f"holds weights trained on {data}; remove it or write elsewhere"
        raise ArchError("", message, file=str(weights))
    with prepared(folder):
        yield
