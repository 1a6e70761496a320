"""The data sets of `DATA_SETS`, as tensors: one function each, every split fixed by a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch.nn import functional

from archgen.train.recipe import needs


@dataclass(frozen=True)
class Split:
    """Normalised images (count, channels, height, width; float32) and labels (count; int64)."""

    images: torch.Tensor
    labels: torch.Tensor
    # The most pixels that a training image may be shifted by.
    shift: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Split:
        """The same split on another device."""
        return Split(self.images.to(device), self.labels.to(device), self.shift)

    def shuffled(
        self, batch: int, draw: torch.Generator, *, augment: bool
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Whole batches in a new order; chances are drawn on the CPU, the same everywhere."""
        device = self.labels.device
        shift = self.shift if augment else 0
        order = torch.randperm(len(self), generator=draw)
        for start in range(0, len(self) - batch + 1, batch):
            chosen = order[start : start + batch].to(device)
            moves = torch.randint(2 * shift + 1, (2, batch), generator=draw) if shift else None
            images = self.images[chosen]
            if moves is not None:
                images = shifted(images, moves.to(device), shift)
            yield images, self.labels[chosen]

    def ordered(self, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All images, in order."""
        for start in range(0, len(self), batch):
            yield self.images[start : start + batch], self.labels[start : start + batch]


@dataclass(frozen=True)
class Data:
    """One data set. A search looks at ``validation``; ``test`` is for the last report alone."""

    name: str
    # Channels, height and width.
    input: tuple[int, int, int]
    classes: int
    train: Split
    validation: Split
    test: Split

    def to(self, device: torch.device) -> Data:
        """The same data set on another device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )


def digits(seed: int = 0) -> Data:
    """Scikit-learn's embedded digits: 1,797 handwritten 8x8 digits, grey, 10 classes.

    A fifth of each class is for validation and a fifth for the test; normalised by mean and
    deviation of the training split.

    Args:
        seed: Decides which image falls into which split.
    """
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    asked = needs("digits")
    images = torch.tensor(pixels, dtype=torch.float32).reshape(-1, *asked.input)
    labels = torch.tensor(target, dtype=torch.int64)
    train, validation, test = stratified(labels, seed)
    images = (images - images[train].mean()) / images[train].std()
    return Data(
        name="digits",
        input=asked.input,
        classes=asked.classes,
        train=Split(images[train], labels[train], shift=1),
        validation=Split(images[validation], labels[validation]),
        test=Split(images[test], labels[test]),
    )


def shifted(images: torch.Tensor, moves: torch.Tensor, shift: int) -> torch.Tensor:
    """Each image cut out of its padded self at its own place."""
    count, _, height, width = images.shape
    padded = functional.pad(images, [shift] * 4)
    rows = moves[0, :, None] + torch.arange(height, device=images.device)
    columns = moves[1, :, None] + torch.arange(width, device=images.device)
    item = torch.arange(count, device=images.device)[:, None, None]
    cut = padded[item, :, rows[:, :, None], columns[:, None, :]]
    return cut.permute(0, 3, 1, 2).contiguous()


def stratified(labels: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Indices of a train (3/5), validation (1/5) and test split (1/5), the same in each class."""
    order = torch.Generator().manual_seed(seed)
    parts: tuple[list[torch.Tensor], ...] = ([], [], [])
    for label in range(int(labels.max()) + 1):
        members = torch.nonzero(labels == label).flatten()
        members = members[torch.randperm(len(members), generator=order)]
        fifth = len(members) // 5
        parts[0].append(members[2 * fifth :])
        parts[1].append(members[:fifth])
        parts[2].append(members[fifth : 2 * fifth])
    train, validation, test = (torch.cat(part).sort().values for part in parts)
    return train, validation, test


def load_data(name: str, device: torch.device, *, seed: int = 0) -> Data:
    """The data set called ``name``, on ``device``.

    Raises:
        ArchError: There is no such data set.
    """
    needs(name)
    return _MAKERS[name](seed).to(device)


_MAKERS: dict[str, Callable[[int], Data]] = {"digits": digits}
