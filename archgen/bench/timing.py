"""Time runs in turn, so that all of them meet the same machine.

What else a machine does, and how warm it is, changes by the second. Runs that are timed one after
another cannot be compared; runs that take turns can, round by round.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from archgen.bench.clock import Turn, share, timed

Run: TypeAlias = Callable[[], Any]
"""What is timed; each call does the same."""

WARMUP = 0.2
"""Seconds for which each run is called before it is timed."""
TURN = 0.01
"""Seconds that a turn lasts at least; what is faster is called several times in it."""
LEAST_ROUNDS = 5
"""Rounds that a spread needs, however long they take."""
SLOW = 1.0
"""Seconds of a call beside which what the one before it has left in caches is nothing."""


@dataclass(frozen=True)
class Spread:
    """The median of some values, between their quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Give the quartiles of one value or more, by linear interpolation."""
        every = [*values]
        if len(every) == 1:
            return cls(*every * 3)
        return cls(*statistics.quantiles(every, n=4, method="inclusive"))


@dataclass(frozen=True)
class Timings:
    """What `measure` has measured.

    Args:
        rounds: For each round one turn a run, in the order of the runs.
        interrupted: Whether Ctrl-C ended it.
    """

    rounds: list[tuple[Turn, ...]]
    interrupted: bool = False

    def wall(self, run: int) -> Spread:
        """Seconds that a call of a run took by the clock."""
        return Spread.of(turns[run].wall for turns in self.rounds)

    def cpu(self, run: int) -> Spread:
        """Seconds that this process computed in a call of a run."""
        return Spread.of(turns[run].cpu for turns in self.rounds)

    def share(self, run: int, threads: int) -> float | None:
        """What part of the time it could have computed a run did: `archgen.bench.clock.share`."""
        return share((turns[run] for turns in self.rounds), threads)

    def ratio(self, run: int, base: int) -> Spread:
        """How many times as long as a base a run took, compared round by round."""
        return Spread.of(turns[run].wall / turns[base].wall for turns in self.rounds)


def measure(
    runs: Sequence[Run],
    *,
    seconds: float = 10,
    rounds: int | None = None,
    wait: Run = lambda: None,
    report: Callable[[float], None] = lambda done: None,
) -> Timings:
    """Warm runs up and time them in turn; Ctrl-C ends it and keeps the rounds that are complete.

    Args:
        runs: What is called.
        seconds: Rounds begin for so long, warm-up included; `LEAST_ROUNDS` at least.
        rounds: So many of them instead.
        wait: Returns once all that was begun is done, on a device that computes on its own.
        report: Called after each round with the part that is done, from 0 to 1.

    Raises:
        KeyboardInterrupt: Before a first round was complete.
    """
    done: list[tuple[Turn, ...]] = []
    begin = time.perf_counter()
    try:
        for turns in take_turns(runs, wait):
            done.append(turns)
            part = (time.perf_counter() - begin) / seconds
            part = min(part, len(done) / LEAST_ROUNDS) if rounds is None else len(done) / rounds
            report(min(part, 1))
            if part >= 1:
                break
    except KeyboardInterrupt:
        if not done:
            raise
        return Timings(done, interrupted=True)
    return Timings(done)


def take_turns(runs: Sequence[Run], wait: Run = lambda: None) -> Iterator[tuple[Turn, ...]]:
    """Time runs in turn, without end; one item a round, as in `Timings.rounds`.

    Each run is warmed up first. The order changes with every round, so that none always follows
    the same other, and a call that is not timed opens each turn: what the run before has left in
    caches, or still spinning, is not counted. None does where a call takes longer than `SLOW`.
    """
    paces = [_warm_up(run, wait) for run in runs]
    for number in count():
        order = _order(len(runs), number)
        taken = {index: _turn(runs[index], paces[index], wait) for index in order}
        yield tuple(taken[index] for index in range(len(runs)))


def _order(runs: int, number: int) -> list[int]:
    """Forward and backward by turns, from another start every second round."""
    start = number // 2 % runs
    order = [*range(start, runs), *range(start)]
    return order[::-1] if number % 2 else order


class _Pace(NamedTuple):
    """How a run is timed: calls that fill a turn, and whether one that is not timed opens it."""

    calls: int
    opened: bool


def _warm_up(run: Run, wait: Run) -> _Pace:
    """Call a run for a while, to see how fast it is."""
    fastest = math.inf
    end = time.perf_counter() + WARMUP
    while time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        wait()
        fastest = min(fastest, time.perf_counter() - begin)
    return _Pace(max(1, math.ceil(TURN / fastest)), opened=fastest < SLOW)


def _turn(run: Run, pace: _Pace, wait: Run) -> Turn:
    def calls() -> None:
        for _ in range(pace.calls):
            run()
        wait()

    if pace.opened:
        run()
        wait()
    return timed(calls).over(pace.calls)
