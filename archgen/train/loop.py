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
from archgen.train.data import Data
from archgen.train.evaluate import evaluate
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
    curve: list[Epoch] = []
    began = time.perf_counter()
    forked = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=forked):
        torch.manual_seed(recipe.seed)  # for dropout
        for epoch in range(recipe.epochs):
            model.train()
            total = torch.zeros((), device=device)
            rate = 0.0
            order = data.train.shuffled(batch, draw, augment=recipe.augment)
            for step, (images, labels) in enumerate(order):
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
            scores = evaluate(model, data.validation)
            done = Epoch(
                epoch=epoch + 1,
                epochs=recipe.epochs,
                lr=rate,
                train_loss=float(total) / steps,
                loss=scores.loss,
                top1=scores.top1,
                seconds=time.perf_counter() - began,
            )
            curve.append(done)
            if not (math.isfinite(done.train_loss) and math.isfinite(done.loss)):
                return Result("diverged", tuple(curve), done.seconds)
            report(done)
    if checkpoint is not None:
        save_weights(model, checkpoint)
    return Result("finished", tuple(curve), time.perf_counter() - began)


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
