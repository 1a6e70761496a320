"""Load a data set by its name: its splits, on a device, every one fixed by a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from archgen.errors import ArchError
from archgen.train.augment import Scale
from archgen.train.datasets import DATA_SETS, DEFAULT_ROOT, FOLDER, Needs, Size, needs
from archgen.train.readers import Bytes, read_batch, read_idx
from archgen.train.splits import Split, TensorSplit, stratified

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""
FASHION: tuple[str, ...] = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


@dataclass(frozen=True)
class Data:
    """One data set. A search looks at ``validation``; ``test`` is for the last report alone.

    Args:
        name: What it is called.
        input: Channels, height and width of its images.
        class_names: The classes in the order of their labels.
        train: Trained on.
        validation: Looked at while training and searching.
        test: The data set's own test split where it has one.
    """

    name: str
    input: Size
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def classes(self) -> int:
        """How many classes it has."""
        return len(self.class_names)

    def to(self, device: torch.device) -> Data:
        """Give the same data on another device."""
        train, validation, test = (
            split.to(device) for split in (self.train, self.validation, self.test)
        )
        return replace(self, train=train, validation=validation, test=test)


def load_data(
    name: str,
    device: torch.device,
    *,
    seed: int = 0,
    root: Path | None = None,
    download: bool = False,
    size: Size | None = None,
) -> Data:
    """The data set called ``name``, on ``device``.

    Args:
        name: A name of `archgen.train.datasets.DATA_SETS`, or ``imagefolder:PATH``.
        device: Where the batches lie.
        seed: Decides which image falls into which split.
        root: Where data sets lie, in torchvision's layout; by default
            `archgen.train.datasets.DEFAULT_ROOT`.
        download: Fetch what is not there (Fashion-MNIST and CIFAR).
        size: What the network takes; images of a folder are cut to it.

    Raises:
        ArchError: There is no such data set, it is not here, or a file of it is damaged.
    """
    place = root or DEFAULT_ROOT
    asked = needs(name, place)
    if name.startswith(FOLDER):
        from archgen.train.folder import folder_splits

        if size is None:
            raise ArchError("data", f"{name} needs the size of the network's input")
        return Data(name, size, *folder_splits(name, place, size, device, seed))
    if name == "digits":
        return digits(device, seed)
    if name == "fashion-mnist":
        names, train, test = FASHION, *_fashion(place, download)
    else:
        names, train, test = _cifar(name, place, download)
    return _own_test(name, asked, names, train, test, device, seed)


def digits(device: torch.device, seed: int = 0) -> Data:
    """Scikit-learn's embedded digits: 1,797 handwritten 8x8 digits, grey, 10 classes.

    A fifth of each class is for validation and a fifth for the test; normalised by mean and
    deviation of the training split.
    """
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    asked = DATA_SETS["digits"]
    assert asked.input is not None
    images = torch.tensor(pixels, dtype=torch.float32).reshape(-1, *asked.input)
    labels = torch.tensor(target, dtype=torch.int64)
    parts = stratified(labels, seed, part=5, cuts=2)
    images = (images - images[parts[0]].mean()) / images[parts[0]].std()
    train, validation, test = (
        TensorSplit(images[chosen].to(device), labels[chosen].to(device), shift=asked.shift)
        for chosen in parts
    )
    return Data("digits", asked.input, tuple("0123456789"), train, validation, test)


Part = tuple[Bytes, Bytes]
"""Images (count, channels, height, width) and labels (count)."""


def _own_test(
    name: str,
    asked: Needs,
    names: tuple[str, ...],
    train: Part,
    test: Part,
    device: torch.device,
    seed: int,
) -> Data:
    """Cut a tenth of each class off for validation; the test split is the data set's own."""
    assert asked.input is not None
    scale = Scale.of(asked.mean, asked.deviation, device)

    def split(images: Bytes, labels: Bytes) -> TensorSplit:
        return TensorSplit(
            torch.tensor(images, device=device),
            torch.tensor(labels, dtype=torch.int64, device=device),
            scale=scale,
            shift=asked.shift,
            flip=asked.flip,
        )

    images, labels = train
    parts = stratified(torch.tensor(labels, dtype=torch.int64), seed, part=10, cuts=1)
    kept, validation = (split(images[chosen], labels[chosen]) for chosen in parts)
    return Data(name, asked.input, names, kept, validation, split(*test))


def _fashion(root: Path, download: bool) -> tuple[Part, Part]:
    own = root / "FashionMNIST" / "raw"
    names = [
        f"{part}-{kind}-ubyte"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    ]

    def find() -> list[Path] | None:
        for folder in (own, DEBIAN):
            found = [
                [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
                for name in names
            ]
            if all(found):
                return [first for first, *_ in found]
        return None

    said = f"{own} and {DEBIAN} (Debian's package dataset-fashion-mnist)"
    images, labels, test_images, test_labels = _fetched(find, "FashionMNIST", root, download, said)
    return _idx_pair(images, labels), _idx_pair(test_images, test_labels)


def _idx_pair(images: Path, labels: Path) -> Part:
    pixels, marks = read_idx(images, 3), read_idx(labels, 1)
    _check(images, pixels[:, None], marks, "fashion-mnist")
    return pixels[:, None], marks


def _cifar(name: str, root: Path, download: bool) -> tuple[tuple[str, ...], Part, Part]:
    fine = name == "cifar100"
    folder = root / ("cifar-100-python" if fine else "cifar-10-batches-py")
    train = ["train"] if fine else [f"data_batch_{number}" for number in range(1, 6)]
    test, meta = ("test", "meta") if fine else ("test_batch", "batches.meta")
    files = [folder / file for file in (*train, test, meta)]

    def find() -> list[Path] | None:
        return files if all(file.is_file() for file in files) else None

    *batches, about = _fetched(find, name.upper(), root, download, str(folder))
    key = "fine_label" if fine else "label"
    parts = [_cifar_part(path, f"{key}s", name) for path in batches]
    images, labels = ([part[kind] for part in parts[:-1]] for kind in (0, 1))
    names = tuple(_entry(about, read_batch(about), f"{key}_names"))
    if len(names) != DATA_SETS[name].classes:
        raise ArchError("data", f"names {len(names)} classes of {name}", file=str(about))
    return names, (np.concatenate(images), np.concatenate(labels)), parts[-1]


def _cifar_part(path: Path, key: str, name: str) -> Part:
    content = read_batch(path)
    images, labels = np.asarray(_entry(path, content, "data")), _entry(path, content, key)
    asked = DATA_SETS[name].input
    assert asked is not None
    if images.dtype != np.uint8 or images.size != len(labels) * np.prod(asked):
        said = f"has {images.dtype} {images.shape} for {len(labels)} labels"
        raise ArchError("data", f"{said}, not 3,072 bytes an image", file=str(path))
    part = images.reshape(-1, *asked), np.asarray(labels, dtype=np.uint8)
    _check(path, *part, name)
    return part


def _entry(path: Path, content: dict[str, Any], key: str) -> Any:
    if key not in content:
        raise ArchError("data", f"has no {key!r}", file=str(path))
    return content[key]


def _check(path: Path, images: Bytes, labels: Bytes, name: str) -> None:
    asked = DATA_SETS[name]
    if images.shape != (len(labels), *(asked.input or ())):
        said = f"has images {images.shape} for {len(labels):,} labels"
        raise ArchError("data", f"{said}; {name} has {asked.input}", file=str(path))
    if labels.size == 0 or labels.max() >= asked.classes:
        raise ArchError("data", f"has labels beyond {asked.classes} classes", file=str(path))


def _fetched(
    find: Callable[[], list[Path] | None], kind: str, root: Path, download: bool, said: str
) -> Iterable[Path]:
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
