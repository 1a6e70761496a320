"""Mixup and CutMix: pairs of images made one, and their labels with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

from archgen.train.recipe import Recipe

Mix: TypeAlias = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def mixer(recipe: Recipe, classes: int) -> Mix | None:
    """What mixes each batch, or None where the recipe mixes nothing.

    It maps images and labels (batch) to images and probabilities (batch, classes); its chances
    come from torch's global CPU generator.
    """
    if not (recipe.mixup or recipe.cutmix):
        return None
    from torchvision.transforms import v2

    kinds = ((v2.MixUp, recipe.mixup), (v2.CutMix, recipe.cutmix))
    chosen = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha]
    mix: Mix = v2.RandomChoice(chosen)
    return mix
