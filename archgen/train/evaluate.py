"""Judge a network on a split of a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from archgen.train.data import Split


@dataclass(frozen=True)
class Scores:
    """Mean cross-entropy (nats an image) and top-1 accuracy (percent)."""

    loss: float
    top1: float


@torch.no_grad()
def evaluate(
    model: nn.Module, split: Split, *, batch: int = 1024, beat: Callable[[], None] = lambda: None
) -> Scores:
    """Judge ``model`` on all images of ``split``."""
    model.eval()
    loss = torch.zeros((), device=split.labels.device)
    right = torch.zeros((), device=split.labels.device)
    for images, labels in split.ordered(batch):
        scores = model(images)
        loss += functional.cross_entropy(scores, labels, reduction="sum")
        right += (scores.argmax(1) == labels).sum()
        beat()
    return Scores(float(loss) / len(split), 100 * float(right) / len(split))
