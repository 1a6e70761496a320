"""What a training run is told: a `Recipe`. Imports no torch: studies are checked in no time."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from archgen.errors import unknown
from archgen.train.datasets import DataSet
from archgen.train.recipes import RECIPES


def _named(recipe: str) -> str:
    if recipe not in RECIPES:
        raise ValueError(unknown("recipe", recipe, RECIPES))
    return recipe


KnownRecipe = Annotated[
    str, AfterValidator(_named), Field(json_schema_extra={"enum": [*sorted(RECIPES)]})
]


class Recipe(BaseModel):
    """How a network is trained.

    With ``recipe``, the values of that paper's recipe are the defaults of all other fields;
    a dumped recipe has all fields, so that it says the same after the named one has changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    recipe: KnownRecipe | None = Field(None, description="The recipe of a paper to start from.")
    data: DataSet = Field("digits", description="The data set.")
    epochs: int = Field(12, ge=1, le=10_000, description="Passes over the training split.")
    batch: int = Field(
        64,
        ge=2,
        le=65_536,
        description="Images a step; the last, incomplete batch of an epoch is left out.",
    )
    accumulate: int = Field(
        1,
        ge=1,
        le=1_024,
        description="Parts in which each batch goes through the network, to need less memory.",
    )
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="Who changes the weights.")
    lr: float = Field(
        0.1,
        gt=0,
        le=100,
        description="The highest learning rate, reached at the end of the warm-up.",
    )
    warmup: float = Field(
        1.0, ge=0, le=1_000, description="Epochs (or parts of one) of linear warm-up."
    )
    schedule: Literal["cosine", "step"] = Field(
        "cosine", description="How the rate falls: along a cosine down to zero, or in steps."
    )
    milestones: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.5, 0.75),
        strict=False,
        description="Where a step schedule falls, as rising parts of the run: [0.5, 0.75].",
    )
    gamma: float = Field(
        0.1, gt=0, le=1, description="What a step schedule multiplies the rate by."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD, first beta of AdamW.")
    nesterov: bool = Field(True, description="Whether SGD's momentum is Nesterov's.")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="How much weights decay.")
    decay: Literal["weights", "all"] = Field(
        "weights",
        description="What decays: weights of two or more dimensions (no norms, biases and"
        " per-channel scales), or all.",
    )
    clip: float | None = Field(
        None, gt=0, description="The largest norm that all gradients together may have."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="The part of each label that is spread over all classes."
    )
    augment: bool = Field(
        True,
        description="Random crops of the padded training images, and flips where the data"
        " allows them.",
    )
    mixup: float = Field(
        0.0, ge=0, le=100, description="Alpha of mixup, which blends pairs of images; 0 is off."
    )
    cutmix: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Alpha of CutMix, which pastes a part of another image; 0 is off. With"
        " mixup, each batch gets one of both.",
    )
    head_dropout: float | None = Field(
        None, ge=0, lt=1, description="Dropout of the head; without, as the spec says."
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of a moving average of the weights after each step, which is then"
        " what is judged and kept; 0 is off.",
    )
    precision: Literal["float32", "bfloat16", "float16", "auto"] = Field(
        "float32",
        description="Of what runs under autocast; auto times float32 and bfloat16.",
    )
    memory_format: Literal["contiguous", "channels_last", "auto"] = Field(
        "contiguous", description="How maps lie in memory; auto times both."
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Decides the initial weights, the order of the images and all other chances.",
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """Put the values of the named recipe below what is given."""
        name = given.get("recipe") if isinstance(given, dict) else None
        known = RECIPES.get(name) if isinstance(name, str) else None
        return {**known.values, **given} if known else given

    @model_validator(mode="after")
    def _whole(self) -> Recipe:
        if self.accumulate * 2 > self.batch:
            most = self.batch // 2
            raise ValueError(
                f"{self.accumulate} parts of a batch of {self.batch} would have less than 2 images;"
                f" accumulate can be at most {most}"
            )
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("milestones must rise, for instance [0.5, 0.75]")
        return self

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of one step.

        Args:
            step: The step of the whole run, from 0.
            steps: The steps of one epoch.
        """
        warmup = self.warmup * steps
        if step < warmup:
            return self.lr * (step + 1) / (warmup + 1)
        if self.schedule == "step":
            return self.lr * self.gamma ** bisect_right(
                self.milestones, step / (self.epochs * steps)
            )
        done = (step - warmup) / max(1.0, self.epochs * steps - warmup)
        return self.lr * (1 + math.cos(math.pi * done)) / 2
