"""How a network looks at larger images in evaluation: whole, by ten crops, by mean-max pooling."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from archgen.errors import ArchError
from archgen.nn import build
from archgen.nn.folding import empty_deployed
from archgen.nn.weights import Weights, restore
from archgen.spec import Net
from archgen.spec.head import head_of
from archgen.train.datasets import spelled
from archgen.train.splits import Split

MARGIN = 0.875
"""A crop's side over that of the image that ten crops are cut from: 224 of 256 pixels."""


@dataclass(frozen=True)
class View:
    """One way to look at images; made by `View.of`.

    Args:
        net: At the input that it was trained with.
        size: Height and width of the images.
        ten_crop: Whether crops of the network's own size are cut from them.
        mean_max: Whether the head pools as DPN's authors do in tests.
    """

    net: Net
    size: tuple[int, int]
    ten_crop: bool
    mean_max: bool

    @classmethod
    def of(
        cls,
        net: Net,
        *,
        resolution: int | None = None,
        ten_crop: bool = False,
        mean_max: bool = False,
    ) -> View:
        """Make one.

        Args:
            net: At the input that it was trained with.
            resolution: Height of the images; by default the network's own, for ten crops 8/7
                of it. Their width goes with it.
            ten_crop: See `TenCrop`.
            mean_max: See `MeanMax`.

        Raises:
            ArchError: A map of the network cannot be made from images of that size, or they
                are too small for crops or for pooling.
        """
        _, height, width = net.input
        asked = resolution or (round(height / MARGIN) if ten_crop else height)
        size = asked, round(asked * width / height)
        if ten_crop and mean_max:
            message = "crops have the network's own size: choose this or mean-max pooling"
            raise ArchError("ten-crop", message)
        if (ten_crop or mean_max) and asked <= height:
            said = f"a resolution above {height} is needed: larger images than the network's own"
            raise ArchError("ten-crop" if ten_crop else "mean-max", said)
        if not ten_crop:
            _check_size(net, size)
        return cls(net, size, ten_crop, mean_max)

    def model(self, weights: Weights) -> nn.Module:
        """Build the network with its weights, so that it looks at images in this way.

        It is the folded network where the weights' file says that they are a deploy form's.

        Raises:
            ArchError: The weights are another network's, or its head does not read one map.
        """
        folded = weights.folded
        model = empty_deployed(self.net) if folded else build(self.net, init=False)
        restore(model, weights)
        if self.mean_max:
            name = head_of(self.net)
            window = _map_read(self.net, name)
            setattr(model, name, MeanMax(model.get_submodule(name), window))
        return TenCrop(model, self.net.input[1:]) if self.ten_crop else model

    def images(self, split: Split) -> Split:
        """Give the images of a split at this size."""
        same = self.size == self.net.input[1:]
        return split if same else split.sized(self.size, whole=self.ten_crop)


def _check_size(net: Net, size: tuple[int, int]) -> None:
    try:
        net.set({"input": [net.input[0], *size]}).graph()
    except ArchError as error:
        message = f"{error.message}; {net.name} cannot look at {spelled(size)}"
        raise ArchError(error.path, message) from None


def _map_read(net: Net, name: str) -> tuple[int, int]:
    """Give height and width of the map that a node reads."""
    calls = net.graph().calls
    inside = {index for index, call in enumerate(calls) if call.name.startswith(f"{name}.")}
    read = {source for index in inside for source in calls[index].inputs} - inside
    shapes = [calls[source].shape for source in read]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        message = f"mean-max pooling needs a head that reads one map, {name!r} does not"
        raise ArchError(f"nodes.{name}", message)
    return shapes[0][1], shapes[0][2]


class TenCrop(nn.Module):
    """The mean of a model's probabilities over four corners and the middle, and their mirrors.

    Args:
        model: Gives (batch, classes).
        size: Height and width of a crop.
    """

    def __init__(self, model: nn.Module, size: tuple[int, int]) -> None:
        super().__init__()
        self.model = model
        self.size = size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logarithm of the mean probability of each class."""
        height, width = self.size
        rows, columns = images.shape[2] - height, images.shape[3] - width
        corners = [(row, column) for row in (0, rows) for column in (0, columns)]
        views: list[torch.Tensor] = []
        for row, column in [*corners, (rows // 2, columns // 2)]:
            crop = images[..., row : row + height, column : column + width]
            views += [self.model(view).float().softmax(1) for view in (crop, crop.flip(3))]
        return torch.stack(views).mean(0).log()


class MeanMax(nn.Module):
    """A head over all windows of a map: half the sum of the mean and of the maximum.

    Each window has the size of the map that the head was trained on. For a global average pool
    and a classifier this is DPN's: average pooling at stride 1, the classifier as a 1x1
    convolution, then mean-max pooling of the class maps (arXiv:1707.01629).

    Args:
        head: Maps (batch, channels, height, width) to (batch, classes).
        window: Height and width.
    """

    def __init__(self, head: nn.Module, window: tuple[int, int]) -> None:
        super().__init__()
        self.head = head
        self.window = window

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the scores of each class."""
        height, width = self.window
        scores = torch.stack(
            [
                # A copy, as heads may work in place and windows overlap.
                self.head(x[..., row : row + height, column : column + width].clone())
                for row in range(x.shape[2] - height + 1)
                for column in range(x.shape[3] - width + 1)
            ]
        )
        both: torch.Tensor = (scores.mean(0) + scores.amax(0)) / 2
        return both
