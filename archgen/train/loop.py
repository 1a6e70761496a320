"""Train one network: SGD, a cosine schedule, validation after every epoch. Knows no search."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional

from archgen.errors import ArchError
from archgen.files import write_whole
from archgen.train.data import Data, Split
from archgen.train.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave. Losses are mean cross-entropies (nats an image), top1 is in percent."""

    epoch: int  # from 1
    epochs: int
    lr: float  # of the last step
    train_loss: float
    loss: float
    top1: float
    seconds: float  # since the run began


@dataclass(frozen=True)
class Result:
    """How a run ended: ``diverged`` when a loss was not a finite number.

    Loss and top1 are those of the last epoch on the validation split.
    """

    state: Literal["finished", "diverged"]
    curve: tuple[Epoch, ...]
    seconds: float

    @property
    def loss(self) -> float:
        """Mean validation cross-entropy at the end, in nats an image."""
        return self.curve[-1].loss

    @property
    def top1(self) -> float:
        """Validation accuracy at the end, in percent."""
        return self.curve[-1].top1


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``auto`` (an accelerator, else the CPU), ``cpu``, ``cuda:N`` or ``mps``.

    Raises:
        ArchError: The name is none of these, or the device is not here.
    """
    here = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return here or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ArchError(
            "device", f"no device {name!r} (there are: auto, cpu, cuda, cuda:N, mps)"
        ) from None
    if device.type == "cpu":
        return torch.device("cpu")
    found = torch.accelerator.device_count() if here and here.type == device.type else 0
    if (device.index or 0) >= found:
        has = f"{found} of type {device.type!r}" if found else f"no {device.type!r} device"
        raise ArchError("device", f"{name!r} is not here: this machine has {has}")
    return device


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads on the CPU, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    model: nn.Module,
    data: Data,
    recipe: Recipe,
    *,
    device: torch.device,
    report: Callable[[Epoch], None],
    checkpoint: Path | None = None,
) -> Result:
    """Train ``model`` in place, on data that lies on ``device``.

    On a CPU with the same number of threads the same model, data and recipe give the same bits;
    torch's global generator is left as it was.

    Args:
        model: Takes (batch, channels, height, width), gives (batch, classes); moved to ``device``.
        data: Trained on its training split, judged on its validation split.
        recipe: The schedule, the optimiser's numbers and the seed.
        device: Where it runs.
        report: Called after every epoch. What it raises ends the run and reaches the caller.
        checkpoint: Where the weights go, whole, after a finished run.

    Raises:
        ArchError: The checkpoint cannot be written.
    """
    model.to(device)
    optimiser = _optimiser(model, recipe)
    batch = min(recipe.batch, len(data.train))
    steps = len(data.train) // batch
    draw = torch.Generator().manual_seed(recipe.seed)
    shift = data.shift if recipe.augment else 0
    curve: list[Epoch] = []
    began = time.perf_counter()
    forked = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=forked):
        torch.manual_seed(recipe.seed)  # for dropout
        for epoch in range(recipe.epochs):
            model.train()
            total = torch.zeros((), device=device)
            rate = 0.0
            for step, (images, labels) in enumerate(batches(data.train, batch, shift, draw)):
                rate = recipe.rate(epoch * steps + step, steps)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                optimiser.zero_grad()
                loss = functional.cross_entropy(
                    model(images), labels, label_smoothing=recipe.label_smoothing
                )
                loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
                optimiser.step()
                total += loss.detach()
            loss_now, top1 = evaluate(model, data.validation)
            done = Epoch(
                epoch=epoch + 1,
                epochs=recipe.epochs,
                lr=rate,
                train_loss=float(total) / steps,
                loss=loss_now,
                top1=top1,
                seconds=time.perf_counter() - began,
            )
            curve.append(done)
            if not (math.isfinite(done.train_loss) and math.isfinite(done.loss)):
                return Result("diverged", tuple(curve), done.seconds)
            report(done)
    if checkpoint is not None:
        save_weights(model, checkpoint)
    return Result("finished", tuple(curve), time.perf_counter() - began)


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, *, batch: int = 1024) -> tuple[float, float]:
    """Mean cross-entropy (nats an image) and top-1 accuracy (percent) of ``model`` on ``split``."""
    model.eval()
    loss = torch.zeros((), device=split.labels.device)
    right = torch.zeros((), device=split.labels.device)
    for start in range(0, len(split), batch):
        labels = split.labels[start : start + batch]
        scores = model(split.images[start : start + batch])
        loss += functional.cross_entropy(scores, labels, reduction="sum")
        right += (scores.argmax(1) == labels).sum()
    return float(loss) / len(split), 100 * float(right) / len(split)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the ``state_dict`` (on the CPU, for ``torch.load(weights_only=True)``), whole.

    Raises:
        ArchError: It cannot be written.
    """
    content = io.BytesIO()
    torch.save({name: value.cpu() for name, value in model.state_dict().items()}, content)
    write_whole(path, content.getvalue())


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD; norms, biases and per-channel scales have one dimension and do not decay."""
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in model.parameters() if p.ndim > 1],
            "weight_decay": recipe.weight_decay,
        },
        {"params": [p for p in model.parameters() if p.ndim <= 1]},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
    )


def batches(
    split: Split, batch: int, shift: int, draw: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Whole batches in a new order; chances are drawn on the CPU, the same for every device."""
    device = split.labels.device
    order = torch.randperm(len(split), generator=draw)
    for start in range(0, len(split) - batch + 1, batch):
        chosen = order[start : start + batch].to(device)
        moves = torch.randint(2 * shift + 1, (2, batch), generator=draw) if shift else None
        images = split.images[chosen]
        if moves is not None:
            images = shifted(images, moves.to(device), shift)
        yield images, split.labels[chosen]


def shifted(images: torch.Tensor, moves: torch.Tensor, shift: int) -> torch.Tensor:
    """Each image cut out of its padded self at its own place."""
    count, _, height, width = images.shape
    padded = functional.pad(images, [shift] * 4)
    rows = moves[0, :, None] + torch.arange(height, device=images.device)
    columns = moves[1, :, None] + torch.arange(width, device=images.device)
    item = torch.arange(count, device=images.device)[:, None, None]
    cut = padded[item, :, rows[:, :, None], columns[:, None, :]]
    return cut.permute(0, 3, 1, 2).contiguous()
