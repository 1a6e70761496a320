"""Judge a classifier on a split: accuracies, loss and speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

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
