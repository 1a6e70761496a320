"""Time works in turn, so that all of them meet the same machine.

What else a machine does, and how warm it is, changes by the second. Works that are timed one after
another cannot be compared; works that take turns can, round by round.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, TypeAlias

Work: TypeAlias = Callable[[], object]

WARMUP = 0.2
"""Seconds for which each work is called before it is timed."""
TURN = 0.01
"""Seconds that a turn lasts at least; what is faster is called several times in it."""
LEAST_ROUNDS = 5
"""Rounds that a spread needs, however long they take."""


class Turn(NamedTuple):
    """What a work took in one turn, the mean of its calls.

    Attributes:
        wall: Seconds a call, by the clock.
        cpu: Seconds a call that this process was computing, all its threads added up. Other
            processes do not lengthen it.
    """

    wall: float
    cpu: float


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
        rounds: For each round one turn a work, in the order of the works.
        interrupted: Whether Ctrl-C ended it.
    """

    rounds: list[tuple[Turn, ...]]
    interrupted: bool = False

    def wall(self, work: int) -> Spread:
        """Seconds that a call of a work took by the clock."""
        return Spread.of(turns[work].wall for turns in self.rounds)

    def cpu(self, work: int) -> Spread:
        """Seconds that this process computed in a call of a work."""
        return Spread.of(turns[work].cpu for turns in self.rounds)

    def ratio(self, work: int, base: int) -> Spread:
        """How many times as long as a base a work took, compared round by round."""
        return Spread.of(turns[work].wall / turns[base].wall for turns in self.rounds)


def measure(
    works: Sequence[Work],
    *,
    seconds: float = 10,
    rounds: int | None = None,
    wait: Work = lambda: None,
    report: Callable[[float], None] = lambda done: None,
) -> Timings:
    """Warm works up and time them in turn; Ctrl-C ends it and keeps the rounds that are complete.

    Args:
        works: What is called.
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
        for turns in take_turns(works, wait):
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


def take_turns(works: Sequence[Work], wait: Work = lambda: None) -> Iterator[tuple[Turn, ...]]:
    """Time works in turn, without end; one item a round, as in `Timings.rounds`.

    Each work is warmed up first. The order changes with every round, so that none always follows
    the same other, and a call that is not timed opens each turn: what the work before has left in
    caches, or still spinning, is not counted.
    """
    calls = [_warm_up(work, wait) for work in works]
    for number in count():
        order = _order(len(works), number)
        taken = {index: _turn(works[index], calls[index], wait) for index in order}
        yield tuple(taken[index] for index in range(len(works)))


def _order(works: int, number: int) -> list[int]:
    """Forward and backward by turns, from another start every second round."""
    start = number // 2 % works
    order = [*range(start, works), *range(start)]
    return order[::-1] if number % 2 else order


def _warm_up(work: Work, wait: Work) -> int:
    """Call a work for a while; give how many calls fill a turn."""
    fastest = math.inf
    end = time.perf_counter() + WARMUP
    while time.perf_counter() < end:
        begin = time.perf_counter()
        work()
        wait()
        fastest = min(fastest, time.perf_counter() - begin)
    return max(1, math.ceil(TURN / fastest))


def _turn(work: Work, calls: int, wait: Work) -> Turn:
    work()
    wait()
    collects = gc.isenabled()
    gc.disable()
    try:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            work()
        wait()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    finally:
        if collects:
            gc.enable()
    return Turn(wall / calls, cpu / calls)
