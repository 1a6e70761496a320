"""Batched changes of images (batch, channels, height, width), wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional


def shifted(images: torch.Tensor, moves: torch.Tensor, shift: int) -> torch.Tensor:
    """Cut each image out of its zero-padded self at its own place.

    Args:
        images: Of any type.
        moves: (2, batch): row and column of the cut, 0 to 2 * ``shift``.
        shift: Padding on all sides, in pixels.
    """
    height, width = images.shape[-2:]
    padded = functional.pad(images, [shift] * 4)
    cuts = padded.unfold(2, height, 1).unfold(3, width, 1)
    return cuts[torch.arange(len(images), device=images.device), :, moves[0], moves[1]]


def mirrored(images: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Swap left and right of the images that ``which`` (batch; bool) names."""
    return torch.where(which[:, None, None, None], images.flip(3), images)


def resized(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Scale float images to a height and width, bilinear, without aliasing."""
    if images.shape[-2:] == size:
        return images
    return functional.interpolate(images, size, mode="bilinear", antialias=True)


@dataclass(frozen=True)
class Scale:
    """From bytes to normalised numbers: ``(x - mean) / deviation``, both (channels, 1, 1)."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(
        cls, mean: tuple[float, ...], deviation: tuple[float, ...], device: torch.device
    ) -> Scale:
        """Make one from parts of white (1.0), a number for each channel."""
        mean_, deviation_ = torch.tensor([mean, deviation], device=device) * 255
        return cls(mean_[:, None, None], deviation_[:, None, None])

    def to(self, device: torch.device) -> Scale:
        """Give the same on another device."""
        return Scale(self.mean.to(device), self.deviation.to(device))

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise bytes to float32."""
        return images.float().sub_(self.mean).div_(self.deviation)
