"""Load a data set by its name: its splits, on a device, every one fixed by a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from archgen.errors import ArchError
from archgen.train.augment import Scale
from archgen.train.datasets import DATA_SETS, DEFAULT_ROOT, FOLDER, Needs, Size, needs
from archgen.train.readers import Bytes
from archgen.train.sources import Source, cifar, fashion_mnist
from archgen.train.splits import Split, TensorSplit, stratified


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
        return _cut(name, asked, fashion_mnist(place, download=download), device, seed)
    return _cut(name, asked, cifar(name, place, download=download), device, seed)


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


def _cut(name: str, asked: Needs, source: Source, device: torch.device, seed: int) -> Data:
    """Cut a tenth of each class off for validation; the test split is the data set's own."""
    assert asked.input is not None
    scale = Scale.of(asked.mean, asked.deviation, device)

    def split(images: Bytes, labels: Bytes) -> TensorSplit:
        return TensorSplit(
            torch.from_numpy(np.require(images, requirements="W")).to(device),
            torch.tensor(labels, dtype=torch.int64, device=device),
            scale=scale,
            shift=asked.shift,
            flip=asked.flip,
        )

    images, labels = source.train
    parts = stratified(torch.tensor(labels, dtype=torch.int64), seed, part=10, cuts=1)
    kept, validation = (split(images[chosen], labels[chosen]) for chosen in parts)
    return Data(name, asked.input, source.class_names, kept, validation, split(*source.test))
