"""Find, check and read the files of Fashion-MNIST and CIFAR, as torchvision and Debian lay them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from archgen.errors import ArchError
from archgen.train.datasets import DATA_SETS
from archgen.train.readers import Bytes, read_batch, read_idx

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

Part: TypeAlias = tuple[Bytes, Bytes]
"""Images (count, channels, height, width) and labels (count)."""


@dataclass(frozen=True)
class Source:
    """A data set as its authors split it."""

    class_names: tuple[str, ...]
    train: Part
    test: Part


def fashion_mnist(root: Path, *, download: bool) -> Source:
    """Read Fashion-MNIST: 60,000 and 10,000 grey 28x28 images of clothes.

    Args:
        root: Looked at first, for torchvision's ``FashionMNIST/raw``; then Debian's package.
        download: Fetch what is not there.

    Raises:
        ArchError: It is not here, or a file is damaged.
    """
    own = root / "FashionMNIST" / "raw"
    names = [
        f"{part}-{kind}-ubyte"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    ]

    def find() -> list[Path] | None:
        for folder in (own, DEBIAN):
            plain = [folder / name for name in names]
            files = [
                path if path.is_file() else path.with_name(f"{path.name}.gz") for path in plain
            ]
            if all(path.is_file() for path in files):
                return files
        return None

    said = f"{own} and {DEBIAN} (Debian's package dataset-fashion-mnist)"
    found = _fetched(find, "FashionMNIST", root, download, said)
    train, test = (
        _checked(images, read_idx(images, 3)[:, None], read_idx(labels, 1), "fashion-mnist")
        for images, labels in (found[:2], found[2:])
    )
    return Source(FASHION, train, test)


def cifar(name: str, root: Path, *, download: bool) -> Source:
    """Read CIFAR: 50,000 and 10,000 coloured 32x32 images.

    Args:
        name: ``cifar10`` or ``cifar100``.
        root: Where torchvision's ``cifar-10-batches-py`` or ``cifar-100-python`` is.
        download: Fetch what is not there.

    Raises:
        ArchError: It is not here, or a file is damaged.
    """
    if name == "cifar100":
        folder, key = root / "cifar-100-python", "fine_label"
        files = [folder / file for file in ("train", "test", "meta")]
    else:
        folder, key = root / "cifar-10-batches-py", "label"
        train = [f"data_batch_{number}" for number in range(1, 6)]
        files = [folder / file for file in (*train, "test_batch", "batches.meta")]

    def find() -> list[Path] | None:
        return files if all(file.is_file() for file in files) else None

    *batches, about = _fetched(find, name.upper(), root, download, str(folder))
    *parts, test = [_batch(path, f"{key}s", name) for path in batches]
    names = read_batch(about).get(f"{key}_names")
    if not isinstance(names, list) or len(names) != DATA_SETS[name].classes:
        raise ArchError("data", f"does not name the classes of {name}", file=str(about))
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Source(tuple(map(str, names)), (images, labels), test)


def _batch(path: Path, key: str, name: str) -> Part:
    content = read_batch(path)
    images, labels = content.get("data"), content.get(key)
    if not isinstance(images, np.ndarray) or not isinstance(labels, list):
        raise ArchError("data", f"has no images as 'data' or no {key!r}", file=str(path))
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != 3072:
        said = f"has images of {images.dtype} {[*images.shape]}, not of 3,072 bytes each"
        raise ArchError("data", said, file=str(path))
    known = range(DATA_SETS[name].classes)
    marks = [label if label in known else len(known) for label in labels]
    return _checked(path, images.reshape(-1, 3, 32, 32), np.array(marks, np.uint8), name)


def _checked(path: Path, images: Bytes, labels: Bytes, name: str) -> Part:
    asked = DATA_SETS[name]
    if images.shape != (len(labels), *(asked.input or ())):
        said = f"has images of {[*images.shape[1:]]}, {len(images):,} for {len(labels):,} labels"
        raise ArchError(
            "data", f"{said}; those of {name} are {[*(asked.input or ())]}", file=str(path)
        )
    if labels.size == 0 or labels.max() >= asked.classes:
        said = f"its labels are not all of the {asked.classes} classes"
        raise ArchError("data", said, file=str(path))
    return images, labels


def _fetched(
    find: Callable[[], list[Path] | None], kind: str, root: Path, download: bool, said: str
) -> list[Path]:
    """Find the files of a data set, after torchvision has fetched them if that is wanted."""
    found = find()
    if found is None and download:
        from torchvision import datasets

        try:
            getattr(datasets, kind)(root, download=True)
        except (OSError, RuntimeError) as error:
            raise ArchError("data", f"cannot download {kind} to {root}: {error}") from None
        found = find()
    if found is None:
        how = "give --data-root with torchvision's layout, or --download"
        raise ArchError("data", f"{kind} is not here; looked in {said}; {how}")
    return found
