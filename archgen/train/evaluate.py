"""Judge a classifier: accuracies, loss and speed; at other sizes, by ten crops, by mean-max."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from archgen.errors import ArchError
from archgen.spec import Net
from archgen.train.adapt import head_of
from archgen.train.datasets import written
from archgen.train.splits import Split


@dataclass(frozen=True)
class Scores:
    """How a network does on a split. Accuracies are in percent.

    Args:
        loss: Mean cross-entropy, in nats an image.
        top1: Images whose class has the highest score.
        top5: Images whose class is among the five highest.
        per_class: Top-1 of each class's images; NaN for a class without any.
        images_per_second: Loading included.
    """

    loss: float
    top1: float
    top5: float
    per_class: tuple[float, ...]
    images_per_second: float


@torch.no_grad()
def evaluate(
    model: nn.Module,
    split: Split,
    *,
    batch: int = 1024,
    beat: Callable[[], None] = lambda: None,
) -> Scores:
    """Judge ``model`` on all images of ``split``; it is left in evaluation mode.

    Runs in the precision that the caller has set (``torch.autocast``); losses are float32.

    Args:
        model: Takes (batch, channels, height, width), gives (batch, classes); lies where the
            split does.
        split: What to judge it on.
        batch: Images at once.
        beat: Called after every batch.
    """
    model.eval()
    began = time.perf_counter()
    # Of each class: its images, those right at first, those right among five. On the device, so
    # that nothing waits for a batch.
    counts: list[torch.Tensor] = []
    losses: list[torch.Tensor] = []
    for images, labels in split.ordered(batch):
        scores = model(images).float()
        classes = scores.shape[1]
        five = scores.topk(min(5, classes)).indices == labels[:, None]
        right = torch.stack([torch.ones_like(labels), five[:, 0], five.any(1)])
        counts.append(right.new_zeros((3, classes)).index_add_(1, labels, right))
        losses.append(functional.cross_entropy(scores, labels, reduction="sum"))
        beat()
    images_, first, fifth = torch.stack(counts).sum(0).tolist()
    return Scores(
        loss=float(torch.stack(losses).sum()) / len(split),
        top1=100 * sum(first) / len(split),
        top5=100 * sum(fifth) / len(split),
        per_class=tuple(
            100 * right / count if count else float("nan")
            for right, count in zip(first, images_, strict=True)
        ),
        images_per_second=len(split) / (time.perf_counter() - began),
    )


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


def use_mean_max(model: nn.Module, net: Net) -> None:
    """Let a network judge larger images than it was made for by mean-max pooling, from now on.

    Args:
        model: What `archgen.build` made of ``net``; its head is replaced.
        net: At the input that it was trained with, which gives the window.

    Raises:
        ArchError: Its output is no head with classes, or a head that reads no map.
    """
    name = head_of(net)
    graph = net.graph()
    inside = {index for index, call in enumerate(graph.calls) if call.name.startswith(f"{name}.")}
    outside = {source for index in inside for source in graph.calls[index].inputs} - inside
    shapes = {graph.calls[source].shape for source in outside}
    if len(outside) != 1 or len(shape := shapes.pop()) != 3:
        message = f"mean-max pooling needs a head that reads one map, {name!r} does not"
        raise ArchError(f"nodes.{name}", message)
    setattr(model, name, MeanMax(model.get_submodule(name), (shape[1], shape[2])))


def at_resolution(net: Net, size: tuple[int, int]) -> Net:
    """Give a network that takes images of another height and width.

    Raises:
        ArchError: One of its maps cannot be made from them.
    """
    wide = net.set({"input": [net.input[0], *size]})
    try:
        wide.graph()
    except ArchError as error:
        message = f"{error.message}; {net.name} cannot look at {written(size)}"
        raise ArchError(error.path, message) from None
    return wide
