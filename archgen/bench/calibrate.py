"""Measure what operations take on this CPU, where they stand in networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import torch

from archgen.bench.clock import clock_of, share, timed
from archgen.bench.samples import SAMPLES, Sample
from archgen.bench.steps import Step, steps, take_steps
from archgen.latency import Calibration, Work, pytorch, works
from archgen.nn import build

PASSES = 3
"""How often each network has its turn, so that none meets bad moments alone."""
RUNS = 4
"""Timed runs in a turn, after one that warms up."""


class Calibrated(NamedTuple):
    """A calibration, and whether the machine was quiet.

    Args:
        calibration: What was measured.
        share: The part of the time in which threads could have computed that they did, over all
            turns (`archgen.bench.clock.share`).
    """

    calibration: Calibration
    share: float | None


def calibrate(
    threads: int,
    *,
    samples: Sequence[Sample] = SAMPLES,
    report: Callable[[float], None] = lambda done: None,
) -> Calibrated:
    """Run networks operation by operation, and fit what each kind of operation takes.

    An operation alone, called again and again, is faster than in a network, where its weights are
    no longer in the cache, and slower where PyTorch has to prepare it anew. So all are timed
    where they stand.

    Args:
        threads: That PyTorch computes with; that it does is the caller's to see to
            (`archgen.train.device.use_threads`).
        samples: The networks.
        report: Called after each turn with the part that is done, from 0 to 1.

    Raises:
        ArchError: What was installed as PyTorch has no version.
    """
    pytorch()  # it shall fail before a minute is spent
    subjects = [_Subject(sample, threads) for sample in samples]
    turns = PASSES * len(subjects)
    taken_turns = []
    with torch.inference_mode():
        for turn in range(turns):
            taken_turns.append(timed(subjects[turn % len(subjects)].take_turn))
            report((turn + 1) / turns)
    measured: dict[Work, list[float]] = {}
    for subject in subjects:
        for work, taken in zip(subject.works, subject.taken, strict=True):
            measured.setdefault(work, []).extend(taken)
    medians = ((work, median(taken)) for work, taken in measured.items())
    pairs = [(work, seconds) for work, seconds in medians if seconds > 0]
    glue = max(0.0, median(subject.glue for subject in subjects))
    found = Calibration.of(pairs, threads=threads, glue=glue)
    return Calibrated(found, share(taken_turns, threads))


class _Subject:
    """A network that is timed as a whole and operation by operation.

    Attributes:
        works: Its operations.
        taken: Of each, the seconds that it took in every run.
    """

    def __init__(self, sample: Sample, threads: int) -> None:
        net = sample.net()
        graph = net.graph()
        self.works = works(graph, sample.batch, threads)
        self.taken: list[list[float]] = [[] for _ in self.works]
        self._whole: list[float] = []
        self._steps: list[Step] = steps(graph)
        self._model = build(net).eval()
        self._images = torch.randn(sample.batch, *net.input)
        self._clock = clock_of(threads)

    def take_turn(self) -> None:
        """Time it a few times."""
        self._model(self._images)
        for _ in range(RUNS):
            begin = self._clock()
            self._model(self._images)
            self._whole.append(self._clock() - begin)
            taken = take_steps(self._steps, self._images, self._clock)
            for every, seconds in zip(self.taken, taken, strict=True):
                every.append(seconds)

    @property
    def glue(self) -> float:
        """Seconds that it takes as a whole beyond those of its operations, for each of them."""
        alone = sum(map(median, self.taken))
        return (median(self._whole) - alone) / len(self.works)
