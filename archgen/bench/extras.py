"""Packages that only some measurements need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archgen.errors import ArchError


@contextmanager
def needs(*packages: str, extra: str) -> Iterator[None]:
    """Say in one line that a package cannot be imported: it is not there, or broken.

    Args:
        packages: That are imported in the block.
        extra: Of archgen, which installs them.

    Raises:
        ArchError: One cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name in packages:
            message = f"not installed; pip install 'archgen[{extra}]' installs it"
            raise ArchError(error.name, message) from None
        names = " or ".join(packages)
        raise ArchError(names, f"installed, but cannot be imported: {error}") from error
