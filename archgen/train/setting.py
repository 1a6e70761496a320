"""Choose how steps are computed: time real ones, keep the fastest that is safe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy
from statistics import median

import torch
from torch import nn

from archgen.errors import ArchError
from archgen.train.data import Data
from archgen.train.device import out_of_memory, own_chances
from archgen.train.optim import Stepper
from archgen.train.recipe import Recipe
from archgen.train.result import Setting

ROUNDS = 3
"""How often each choice is timed, one after the other, so that all meet the same machine."""
NEAR = 0.1
"""How far a loss may be from that of the plainest choice, as a part of it."""
TIE = 1.03
"""A choice that is not faster than a plainer one by this factor is not worth it."""


def choose_setting(
    model: nn.Module,
    data: Data,
    recipe: Recipe,
    *,
    device: torch.device,
    beat: Callable[[], None] = lambda: None,
) -> Setting:
    """The setting that the recipe names; where it says ``auto``, the fastest safe one.

    Each choice trains a copy of the model for two steps, `ROUNDS` times; the second step is
    timed. Choices that do not fit into memory, or whose losses are no finite numbers or far
    from those of the plainest choice, are out. Model and generators stay as they are.

    Args:
        model: On ``device``.
        data: One batch of its training split is used.
        recipe: Says what may be chosen, and how steps are made.
        device: Where it trains.
        beat: Called after every choice of each round.

    Raises:
        ArchError: The device cannot compute in the recipe's precision.
        MemoryError: No choice fits; `RuntimeError` where torch says so.
    """
    choices = _choices(recipe, device, batch := min(recipe.batch, len(data.train)))
    if len(choices) == 1:
        return choices[0]
    trial = deepcopy(model).train()
    start = deepcopy(model.state_dict())
    rate = recipe.rate(0, len(data.train) // batch)
    seconds: dict[Setting, list[float]] = {choice: [] for choice in choices}
    losses: dict[Setting, float] = {}
    with own_chances(recipe.seed, device):
        draw = torch.Generator().manual_seed(recipe.seed)
        images, labels = next(iter(data.train.shuffled(batch, draw, augment=False)))
        for choice in choices * ROUNDS:
            if choice not in seconds:
                continue
            trial.load_state_dict(start)
            torch.manual_seed(recipe.seed)
            try:
                losses[choice], took = _two_steps(
                    Stepper(trial, recipe, choice, device), images, labels, rate
                )
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error) or len(seconds) == 1:
                    raise
                del seconds[choice]
                continue
            seconds[choice].append(took)
            beat()
    medians = {choice: median(times) for choice, times in seconds.items()}
    return _fastest(medians, losses)


def _choices(recipe: Recipe, device: torch.device, batch: int) -> list[Setting]:
    """What may be chosen, the plainest first."""
    parts = min(recipe.accumulate, max(1, batch // 2))
    precisions = [recipe.precision]
    if recipe.precision == "auto":
        precisions = ["float32", "bfloat16"] if _has_bfloat16(device) else ["float32"]
    elif recipe.precision != "float32" and not torch.amp.is_autocast_available(device.type):
        message = f"{device} computes in float32 only, not in {recipe.precision}"
        raise ArchError("precision", f"{message}; use float32 or auto")
    layouts = [recipe.memory_format]
    if recipe.memory_format == "auto":
        layouts = ["contiguous", "channels_last"]
    return [
        Setting(precision, layout, parts)  # type: ignore[arg-type]
        for precision in precisions
        for layout in layouts
    ]


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu"


def _two_steps(
    stepper: Stepper, images: torch.Tensor, labels: torch.Tensor, rate: float
) -> tuple[float, float]:
    """Make two steps; give their mean loss, and the seconds of the second."""
    first = float(stepper.step(images, labels, rate))
    began = time.perf_counter()
    # To read the loss waits for the device.
    second = float(stepper.step(images, labels, rate))
    return (first + second) / 2, time.perf_counter() - began


def _fastest(medians: dict[Setting, float], losses: dict[Setting, float]) -> Setting:
    plainest = next(iter(medians))
    normal = losses[plainest]
    safe = [
        choice
        for choice in medians
        if math.isfinite(losses[choice]) and abs(losses[choice] - normal) <= NEAR * normal
    ]
    best = min((medians[choice] for choice in safe), default=0.0)
    chosen = next((choice for choice in safe if medians[choice] <= TIE * best), plainest)
    by_name = {str(choice): round(taken, 6) for choice, taken in medians.items()}
    return Setting(chosen.precision, chosen.memory_format, chosen.parts, by_name)
