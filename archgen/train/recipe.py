"""What a training run is told: a `Recipe`, and what each data set asks of a network.

Imports no torch, so that a study file is checked in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from archgen.errors import ArchError, unknown


@dataclass(frozen=True)
class Needs:
    """What a data set asks of a network: its input (channels, height, width) and classes."""

    input: tuple[int, int, int]
    classes: int


# All there are; `archgen.train.data` has a function of the same name for each.
DATA_SETS = {"digits": Needs(input=(1, 8, 8), classes=10)}


def _known(data: str) -> str:
    if data not in DATA_SETS:
        raise ValueError(unknown("data set", data, DATA_SETS))
    return data


DataSet = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": [*sorted(DATA_SETS)]})
]


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


def needs(data: str) -> Needs:
    """What the data set called ``data`` asks of a network.

    Raises:
        ArchError: There is no such data set.
    """
    if data not in DATA_SETS:
        raise ArchError("data", unknown("data set", data, DATA_SETS))
    return DATA_SETS[data]


def check_fit(data: str, shape: tuple[int, ...], classes: int | None) -> None:
    """Refuse a network that the data set cannot train.

    Args:
        data: The data set's name.
        shape: What the network takes: (channels, height, width).
        classes: How many classes the network tells apart; None where it has no single head.

    Raises:
        ArchError: No such data set, or its images or classes are others.
    """
    asked = needs(data)
    if tuple(shape) != asked.input:
        message = f"{data} has images of {_size(asked.input)}, the network takes {_size(shape)}"
        raise ArchError("input", f"{message}; set input to {[*asked.input]}")
    if classes != asked.classes:
        has = "has no head with classes" if classes is None else f"has {classes}"
        message = f"{data} has {asked.classes} classes, the network {has}"
        raise ArchError("classes", f"{message}; set classes of its head")


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(part) for part in shape)
