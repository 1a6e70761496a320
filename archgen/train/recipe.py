"""What a training run is told: a `Recipe`. Imports no torch: studies are checked in no time."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from archgen.train.datasets import DataSet


class Recipe(BaseModel):
    """How a network is trained: SGD with momentum, linear warm-up, cosine down to zero.

    Weight decay acts on weights of two or more dimensions only: not on norms, biases and
    per-channel scales.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    data: DataSet = Field("digits", description="The data set.")
    epochs: int = Field(12, ge=1, le=10_000, description="Passes over the training split.")
    batch: int = Field(
        64,
        ge=2,
        le=65_536,
        description="Images a step; the last, incomplete batch of an epoch is left out.",
    )
    lr: float = Field(
        0.1,
        gt=0,
        le=100,
        description="The highest learning rate, reached at the end of the warm-up.",
    )
    warmup: float = Field(
        1.0, ge=0, le=1_000, description="Epochs (or parts of one) of linear warm-up."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    nesterov: bool = Field(True, description="Whether the momentum is Nesterov's.")
    weight_decay: float = Field(
        1e-4, ge=0, le=1, description="Decay of weights of two or more dimensions."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="The part of each label that is spread over all classes."
    )
    augment: bool = Field(
        True,
        description="Random shifts of the training images, as far as the data set allows.",
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Decides the initial weights, the order of the images and their shifts.",
    )

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of one step.

        Args:
            step: The step of the whole run, from 0.
            steps: The steps of one epoch.
        """
        warmup = self.warmup * steps
        if step < warmup:
            return self.lr * (step + 1) / (warmup + 1)
        done = (step - warmup) / max(1.0, self.epochs * steps - warmup)
        return self.lr * (1 + math.cos(math.pi * done)) / 2
