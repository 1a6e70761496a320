"""One optimiser step: a batch through the network, its loss, and the change of the weights."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from archgen.train.recipe import Recipe
from archgen.train.result import Setting

_LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Stepper:
    """Trains a network, batch by batch, under one setting.

    Args:
        model: Is moved to the setting's memory format.
        recipe: The optimiser's numbers and the loss.
        setting: Precision, memory format and parts.
        device: Where the model is.
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, setting: Setting, device: torch.device
    ) -> None:
        self.recipe = recipe
        self.setting = setting
        self.device = device
        self._layout = _LAYOUTS[setting.memory_format]
        self.model = model.to(memory_format=self._layout)
        self.optimiser = make_optimiser(model, recipe)
        # What is 0 in float16 may be lost: the gradients are scaled up, and down again.
        self.scaler = torch.amp.GradScaler(device.type, enabled=setting.precision == "float16")

    def autocast(self) -> AbstractContextManager[Any]:
        """In this context the network computes in the setting's precision."""
        if self.setting.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.setting.precision))

    def step(self, images: torch.Tensor, labels: torch.Tensor, rate: float) -> torch.Tensor:
        """Change the weights once.

        Args:
            images: (batch, channels, height, width).
            labels: (batch), or (batch, classes) of probabilities.
            rate: The learning rate.

        Returns:
            The mean loss of the batch, on the device.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        parts = self.setting.parts
        total = torch.zeros((), device=self.device)
        for some, answers in zip(
            images.tensor_split(parts), labels.tensor_split(parts), strict=True
        ):
            with self.autocast():
                scores = self.model(some.contiguous(memory_format=self._layout))
                loss = functional.cross_entropy(
                    scores, answers, label_smoothing=self.recipe.label_smoothing
                )
            loss = loss * (len(some) / len(images))
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call, unused-ignore]
            total += loss.detach()
        if self.recipe.clip is not None:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return total


def make_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser; what does not decay is in a group of its own."""
    weights = list(model.parameters())
    decays = [p for p in weights if p.ndim > 1 or recipe.decay == "all"]
    rest = [p for p in weights if p.ndim <= 1 and recipe.decay == "weights"]
    groups: list[dict[str, Any]] = [
        {"params": some, "weight_decay": decay}
        for some, decay in ((decays, recipe.weight_decay), (rest, 0.0))
        if some
    ]
    if recipe.optimizer == "adamw":
        betas = (recipe.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=recipe.lr, betas=betas, fused=True)
    return torch.optim.SGD(
        groups,
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=True,
    )
