"""What training and evaluation read: a `Split`; here one that lies on the device as a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import torch

from archgen.train.augment import Scale, mirrored, resized, shifted

Batches: TypeAlias = Iterator[tuple[torch.Tensor, torch.Tensor]]
"""Normalised images (batch, channels, height, width; float32) and labels (batch; int64)."""


class Split(Protocol):
    """A part of a data set, on one device."""

    def __len__(self) -> int:
        """How many images it has."""

    def shuffled(self, batch: int, draw: torch.Generator, *, augment: bool) -> Batches:
        """Yield whole batches in a new order; what is left over is not in this epoch.

        Args:
            batch: Images in each.
            draw: All chances come from it; it lies on the CPU, so that they are the same for
                every device.
            augment: Whether the images are shifted, mirrored or cut, as the data set allows.
        """

    def ordered(self, batch: int) -> Batches:
        """Yield all images in order; the last batch may be smaller."""

    def sized(self, size: tuple[int, int], *, whole: bool = False) -> Split:
        """Give the same images in another height and width.

        Args:
            size: Height and width.
            whole: Whether images of a folder keep their margin, up to what makes them square.
        """

    def to(self, device: torch.device) -> Split:
        """Give the same images on another device."""


@dataclass(frozen=True)
class TensorSplit:
    """All images as one tensor.

    Args:
        images: (count, channels, height, width): bytes, or normalised float32.
        labels: (count; int64).
        scale: Normalises bytes; None where the images are normalised.
        shift: The most pixels that a training image may be shifted by.
        flip: Whether a training image may be mirrored.
        size: Height and width that images in order are scaled to; None for their own.
    """

    images: torch.Tensor
    labels: torch.Tensor
    scale: Scale | None = None
    shift: int = 0
    flip: bool = False
    size: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, batch: int, draw: torch.Generator, *, augment: bool) -> Batches:
        """Yield whole batches in a new order; see `Split`."""
        device = self.labels.device
        count = len(self) // batch
        order = torch.randperm(len(self), generator=draw)[: count * batch].view(count, batch)
        moves = flips = None
        if augment and self.shift:
            moves = torch.randint(2 * self.shift + 1, (count, 2, batch), generator=draw).to(device)
        if augment and self.flip:
            flips = (torch.rand((count, batch), generator=draw) < 0.5).to(device)
        for step, chosen in enumerate(order.to(device)):
            images = self.images[chosen]
            if moves is not None:
                images = shifted(images, moves[step], self.shift)
            if flips is not None:
                images = mirrored(images, flips[step])
            yield self._scaled(images), self.labels[chosen]

    def ordered(self, batch: int) -> Batches:
        """Yield all images in order; see `Split`."""
        for start in range(0, len(self), batch):
            images = self._scaled(self.images[start : start + batch])
            if self.size is not None:
                images = resized(images, self.size)
            yield images, self.labels[start : start + batch]

    def sized(self, size: tuple[int, int], *, whole: bool = False) -> TensorSplit:
        """Give the same images in another height and width; they are whole in any case."""
        return replace(self, size=size)

    def to(self, device: torch.device) -> TensorSplit:
        """Give the same images on another device."""
        return replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            scale=self.scale.to(device) if self.scale else None,
        )

    def _scaled(self, images: torch.Tensor) -> torch.Tensor:
        return images if self.scale is None else self.scale(images)


def stratified(labels: torch.Tensor, seed: int, *, part: int, cuts: int) -> list[torch.Tensor]:
    """Cut a data set, the same way in each class.

    Args:
        labels: (count; int64).
        seed: Decides which image falls where.
        part: Each cut takes the ``part``-th part of every class, at least one image.
        cuts: How many cuts.

    Returns:
        Indices, sorted: of what is left, then of each cut.
    """
    order = torch.Generator().manual_seed(seed)
    parts: list[list[torch.Tensor]] = [[] for _ in range(cuts + 1)]
    for label in range(int(labels.max()) + 1):
        members = torch.nonzero(labels == label).flatten()
        members = members[torch.randperm(len(members), generator=order)]
        size = max(1, len(members) // part)
        parts[0].append(members[cuts * size :])
        for index in range(cuts):
            parts[index + 1].append(members[index * size : (index + 1) * size])
    return [torch.cat(one).sort().values for one in parts]
