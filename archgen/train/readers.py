"""The file formats of Fashion-MNIST and CIFAR as arrays; a damaged file is one `ArchError`."""

from __future__ import annotations

import gzip
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from archgen.errors import ArchError
from archgen.files import reason

Bytes: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"


def read_idx(path: Path, dimensions: int) -> Bytes:
    """Read the bytes of an IDX file, gzipped if its name ends in ``.gz``.

    Args:
        path: The file.
        dimensions: 3 for images (count, height, width), 1 for labels (count).

    Raises:
        ArchError: It cannot be read, is no such file, or is cut short.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(getattr(error, "strerror", None) or error).lower()) from None
    head = 4 + 4 * dimensions
    if len(content) < head or content[:4] != bytes([0, 0, 8, dimensions]):
        begin = content[:4].hex() or "nothing"
        raise _damaged(path, f"begins with {begin}, an IDX file of bytes with 0000080{dimensions}")
    shape = np.frombuffer(content, ">u4", dimensions, 4).tolist()
    values = np.frombuffer(content, np.uint8, offset=head)
    if values.size != np.prod(shape):
        raise _damaged(path, f"has {values.size:,} bytes of {np.prod(shape):,}: cut short?")
    return values.reshape(shape)


def read_batch(path: Path) -> dict[str, Any]:
    """Read one of CIFAR's pickled files; the arrays, lists and names in it and nothing else.

    Raises:
        ArchError: It cannot be read, or is no such file.
    """
    try:
        with path.open("rb") as stream:
            content = _ArraysOnly(stream).load()
    except OSError as error:
        raise _damaged(path, reason(error)) from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to say
        raise _damaged(path, str(error) or type(error).__name__) from None
    if not isinstance(content, dict):
        raise _damaged(path, f"holds a {type(content).__name__}, not a mapping")
    return content


class _ArraysOnly(pickle.Unpickler):
    """Unpickles arrays; a file that asks for anything else is refused before it runs."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="latin1")  # as Python 2 wrote them

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Give what an array is made of."""
        if name == "_reconstruct" and module.startswith("numpy"):
            return lambda _, shape, kind: np.ndarray(shape, kind)
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            # Python 2 wrote 0 and 1, which NumPy no longer takes for False and True.
            return lambda kind, align, copy: np.dtype(kind, align=bool(align), copy=bool(copy))
        if (module, name) == ("_codecs", "encode"):
            return lambda text, coding: text.encode(coding)
        raise pickle.UnpicklingError(f"asks for {module}.{name}, which no such file needs")


def _damaged(path: Path, reason: str) -> ArchError:
    return ArchError("data", f"cannot be read: {reason}", file=str(path))
