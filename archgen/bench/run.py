"""Measure networks against one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from archgen.bench.conditions import Conditions, Form
from archgen.bench.entrants import Entrant
from archgen.bench.forms import whole_float32
from archgen.bench.machine import Machine
from archgen.bench.timing import Spread, Timings, measure
from archgen.ops import Shape

BUSY = 0.9
"""Where threads computed a smaller part than this of the time in which they could have."""


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
        share: The part of the time in which threads could have computed that they did, in the row
            that had least; the rest they waited for a core (`archgen.bench.clock.share`). None
            where another device computes, or nothing is known.
    """

    machine: Machine
    conditions: Conditions
    rows: list[Row]
    rounds: int
    interrupted: bool
    share: float | None

    @property
    def busy(self) -> bool:
        """Whether threads waited so long for a core that only ratios hold."""
        return self.share is not None and self.share < BUSY


@whole_float32()
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
    runs = [entrant.run for entrant in entrants]
    with torch.inference_mode():
        timings = measure(runs, seconds=seconds, rounds=rounds, wait=wait, report=report)
    packages = dict.fromkeys(["archgen", "torch", *(p for each in entrants for p in each.packages)])
    shares = [timings.share(index, conditions.threads) for index in range(len(runs))]
    return Bench(
        Machine.here(device, packages),
        conditions,
        [_row(entrant, index, timings, conditions) for index, entrant in enumerate(entrants)],
        len(timings.rounds),
        timings.interrupted,
        min((part for part in shares if part is not None), default=None) if on_cpu else None,
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
