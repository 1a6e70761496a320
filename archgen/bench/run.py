"""Measure networks against one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from archgen.bench.conditions import Conditions, Form
from archgen.bench.entrants import Entrant
from archgen.bench.machine import Machine
from archgen.bench.timing import Spread, Timings, measure
from archgen.ops import Shape

BUSY = 0.9
"""Where this process had less of a core than this, others had the rest."""


@dataclass(frozen=True)
class Row:
    """How fast a network in a form is.

    Args:
        name: The network's.
        form: How it ran.
        input: Shape of an image.
        seconds: Of one forward over a batch, by the clock.
        cpu_seconds: Of one forward that this process computed, all its threads added up: others
            cannot lengthen it.
        images_per_second: At the median by the clock.
        ratio: Seconds over those of the first row, compared within each round.
    """

    name: str
    form: Form
    input: Shape
    seconds: Spread
    cpu_seconds: Spread
    images_per_second: float
    ratio: Spread


@dataclass(frozen=True)
class Bench:
    """A measurement.

    Args:
        machine: What it ran on.
        conditions: How all of it ran.
        rows: One for each entrant, in their order.
        rounds: How often each had its turn.
        interrupted: Whether Ctrl-C ended it.
        share: Of a core that this process had while it computed, in the row that had least; above
            one with several threads. The rest was the work of other processes. None where another
            device computes.
    """

    machine: Machine
    conditions: Conditions
    rows: list[Row]
    rounds: int
    interrupted: bool
    share: float | None

    @property
    def busy(self) -> bool:
        """Whether other processes had so much of the CPU that only ratios hold."""
        return self.share is not None and self.share < BUSY


def bench(
    entrants: Sequence[Entrant],
    conditions: Conditions,
    *,
    seconds: float = 10,
    rounds: int | None = None,
    report: Callable[[float], None] = lambda done: None,
) -> Bench:
    """Time entrants in turn; Ctrl-C ends it and keeps the rounds that are complete.

    Args:
        entrants: What takes part; the first is what the others are compared with.
        conditions: Those under which they were prepared. That so many threads compute is the
            caller's to see to (`archgen.train.device.use_threads`), then and now.
        seconds: How long, as of `measure`.
        rounds: How often instead, as of `measure`.
        report: Called after each round with the part that is done, from 0 to 1.

    Raises:
        KeyboardInterrupt: Before a first round was complete.
    """
    device = torch.device(conditions.device)
    on_cpu = device.type == "cpu"
    wait = (lambda: None) if on_cpu else partial(torch.accelerator.synchronize, device)
    works = [entrant.run for entrant in entrants]
    with torch.inference_mode():
        timings = measure(works, seconds=seconds, rounds=rounds, wait=wait, report=report)
    return Bench(
        Machine.here(device),
        conditions,
        [_row(entrant, index, timings, conditions) for index, entrant in enumerate(entrants)],
        len(timings.rounds),
        timings.interrupted,
        _share(timings) if on_cpu else None,
    )


def _row(entrant: Entrant, index: int, timings: Timings, conditions: Conditions) -> Row:
    seconds = timings.wall(index)
    return Row(
        entrant.name,
        entrant.form,
        entrant.input,
        seconds,
        timings.cpu(index),
        conditions.batch / seconds.median,
        timings.ratio(index, 0),
    )


def _share(timings: Timings) -> float:
    """Give the share that the entrant had which others disturbed most."""
    every = zip(*timings.rounds, strict=True)
    return min(Spread.of(turn.cpu / turn.wall for turn in turns).median for turns in every)
