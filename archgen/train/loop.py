"""Train one network and judge it after every epoch. Knows no search."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from archgen.train.checkpoint import Keeper, State, fingerprint, held
from archgen.train.data import Data
from archgen.train.device import chances, out_of_memory, own_chances, set_chances
from archgen.train.evaluate import evaluate
from archgen.train.mix import mixer
from archgen.train.optim import Stepper
from archgen.train.recipe import Recipe
from archgen.train.result import Epoch, Result, Setting
from archgen.train.setting import choose_setting

JUDGED = 8
"""Images that are judged at once, for each that is trained at once: no gradients are kept."""


def train(
    model: nn.Module,
    data: Data,
    recipe: Recipe,
    *,
    device: torch.device,
    report: Callable[[Epoch], None],
    start: str | None = None,
    state: Path | None = None,
    every_epoch: bool = False,
    beat: Callable[[], None] = lambda: None,
    note: Callable[[str], None] = lambda _: None,
) -> Result:
    """Train ``model`` in place, on data that lies on ``device``.

    On a CPU with the same number of threads the same model, data and recipe give the same bits,
    interrupted or not; torch's global generators are left as they were. A run that is out of
    memory goes on from its last whole epoch with half the batch at a time, once.

    Args:
        model: Takes (batch, channels, height, width), gives (batch, classes); moved to
            ``device``. Afterwards it has the weights to judge and keep.
        data: Trained on its training split, judged on its validation split.
        recipe: How.
        device: Where it runs.
        report: Called after every epoch that this call trained. What it raises ends the run
            and reaches the caller.
        start: Which weights ``model`` has, where they are not what the recipe's seed gives: a
            run goes on from its file with the same start alone.
        state: The run's file. If it is there, the run goes on from it; it is written between
            epochs when that is cheap, and after the last one.
        every_epoch: Write the file after every epoch, and before the first.
        beat: Called after every step and every judged batch.
        note: Told in a sentence what else happens.

    Raises:
        ArchError: The file is another run's or cannot be read or written, or the device lacks
            the recipe's precision.
    """
    mark = fingerprint(model, data, recipe, start)
    keeper = Keeper(state, mark, every_epoch=every_epoch, note=note)
    parts = recipe.accumulate
    if keeper.last is not None:
        parts = keeper.last["setting"]["parts"]
        note(f"going on behind epoch {len(keeper.last['curve'])} of {recipe.epochs}")
    with own_chances(recipe.seed, device):
        while True:
            asked = recipe.model_copy(update={"accumulate": parts})
            try:
                model.to(device)
                return _Run(model, data, asked, device, keeper, beat, note).go(report)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                reason = " ".join(str(error).split()) or "out of memory"
            # The error is gone here, and with it what its frames held.
            model.zero_grad()
            gc.collect()
            if parts > recipe.accumulate or 4 * parts > min(recipe.batch, len(data.train)):
                return _too_large(keeper.last, parts, reason)
            parts *= 2
            note(f"out of memory; once more with batches in {parts} parts ({reason})")


def _too_large(last: State | None, parts: int, reason: str) -> Result:
    curve = tuple(Epoch(**each) for each in last["curve"]) if last else ()
    seconds = curve[-1].seconds if curve else 0.0
    setting = Setting(**last["setting"]) if last else Setting()
    return Result("memory", curve, seconds, reason, replace(setting, parts=parts))


class _Run:
    """A run from its last good state to its end, with all that changes on the way.

    Args:
        model: On ``device``.
        data: As for `train`.
        recipe: As for `train`, with the parts of a batch that are in force.
        device: As for `train`.
        keeper: Has the state to start from, and takes the later ones.
        beat: As for `train`.
        note: As for `train`.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        recipe: Recipe,
        device: torch.device,
        keeper: Keeper,
        beat: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self.model, self.data, self.recipe = model, data, recipe
        self.device, self.keeper, self.beat = device, keeper, beat
        self.batch = min(recipe.batch, len(data.train))
        self.mix = mixer(recipe, data.classes)
        self.draw = torch.Generator().manual_seed(recipe.seed)
        self.curve: list[Epoch] = []
        last = keeper.last
        if last is None:
            setting = choose_setting(model, data, recipe, device=device, beat=beat)
            if setting.seconds:
                took = "; ".join(
                    f"{name}: {1000 * s:.3g} ms" for name, s in setting.seconds.items()
                )
                note(f"a step takes with {took}; chosen: {setting}")
        else:
            setting = replace(Setting(**last["setting"]), parts=recipe.accumulate)
        self.stepper = Stepper(model, recipe, setting, device)
        self.average: AveragedModel | None = None
        if recipe.ema:
            update = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call]
            self.average = AveragedModel(model, multi_avg_fn=update, use_buffers=True)
        if last is None:
            keeper.keep(self._state())
        else:
            self._take_back(last)
        self.began = time.perf_counter() - (self.curve[-1].seconds if self.curve else 0.0)

    def go(self, report: Callable[[Epoch], None]) -> Result:
        """Train all epochs that are left."""
        for number in range(len(self.curve), self.recipe.epochs):
            done = self._epoch(number)
            self.curve.append(done)
            for name, loss in (("training", done.train_loss), ("validation", done.loss)):
                if not math.isfinite(loss):
                    reason = f"the {name} loss was no finite number in epoch {done.epoch} ({loss})"
                    return self._result("diverged", reason)
            self.keeper.keep(self._state(), end=done.epoch == self.recipe.epochs)
            report(done)
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.to(memory_format=torch.contiguous_format)
        return self._result("finished")

    def _epoch(self, number: int) -> Epoch:
        recipe, stepper = self.recipe, self.stepper
        steps = len(self.data.train) // self.batch
        total = torch.zeros((), device=self.device)
        rate = 0.0
        self.model.train()
        batches = self.data.train.shuffled(self.batch, self.draw, augment=recipe.augment)
        for step, (images, labels) in enumerate(batches):
            rate = recipe.rate(number * steps + step, steps)
            if self.mix is not None:
                images, labels = self.mix(images, labels)
            total += stepper.step(images, labels, rate)
            if self.average is not None:
                self.average.update_parameters(self.model)
            self.beat()
        judged = self.model if self.average is None else self.average.module
        at_once = JUDGED * -(-self.batch // stepper.setting.parts)
        with stepper.autocast():
            scores = evaluate(judged, self.data.validation, batch=at_once, beat=self.beat)
        return Epoch(
            epoch=number + 1,
            epochs=recipe.epochs,
            lr=rate,
            train_loss=float(total) / steps,
            loss=scores.loss,
            top1=scores.top1,
            seconds=time.perf_counter() - self.began,
        )

    def _state(self) -> State:
        """All that the rest of the run depends on, apart from data and recipe."""
        average = self.average
        return {
            "setting": asdict(self.stepper.setting),
            "curve": [asdict(epoch) for epoch in self.curve],
            "model": held(self.model.state_dict()),
            "average": held(average.state_dict()) if average is not None else None,
            "optimiser": held(self.stepper.optimiser.state_dict()),
            "scaler": self.stepper.scaler.state_dict(),
            "draw": self.draw.get_state(),
            "chances": chances(self.device),
        }

    def _take_back(self, state: State) -> None:
        self.curve = [Epoch(**each) for each in state["curve"]]
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        # Tensors on the right device are taken as they are: a later step would change the state.
        self.stepper.optimiser.load_state_dict(held(state["optimiser"]))
        if state["scaler"]:
            self.stepper.scaler.load_state_dict(state["scaler"])
        self.draw.set_state(state["draw"])
        set_chances(state["chances"], self.device)

    def _result(self, state: Literal["finished", "diverged"], reason: str = "") -> Result:
        curve = tuple(self.curve)
        return Result(state, curve, curve[-1].seconds, reason, self.stepper.setting)
