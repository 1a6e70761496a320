"""Clocks: on the wall, of the CPU, and of what waits for one of its cores."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TASKS = Path("/proc/self/task")
"""Where Linux says of each thread of this process what it computed and how long it waited."""
FINE = 1e-6
"""Seconds that a clock may take for a tick, where operations of microseconds are timed."""


class Turn(NamedTuple):
    """What something took, by several clocks.

    Attributes:
        wall: Seconds by the clock on the wall.
        cpu: Seconds that this process was computing, all its threads added up. Other processes do
            not lengthen it.
        waited: Seconds that its threads could have computed and got no core, all added up; None
            where the system does not say.
    """

    wall: float
    cpu: float
    waited: float | None = None

    def over(self, calls: int) -> Turn:
        """Give what one of so many calls took in the mean."""
        waited = None if self.waited is None else self.waited / calls
        return Turn(self.wall / calls, self.cpu / calls, waited)


def timed(run: Callable[[], object]) -> Turn:
    """Call something and say what it took; Python's garbage collection waits."""
    collects = gc.isenabled()
    gc.disable()
    try:
        before = _waits()
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        after = _waits()
    finally:
        if collects:
            gc.enable()
    new = [waited - before.get(thread, 0) for thread, waited in after.items()]
    return Turn(wall, cpu, sum(new) / 1e9 if new else None)


def share(turns: Iterable[Turn], threads: int) -> float | None:
    """Give the part of the time in which threads could have computed that they did compute.

    The rest they waited for a core. Where the system does not say so, one thread is taken to wait
    whenever it does not compute; of several nothing is known then.

    Args:
        turns: One or more.
        threads: That compute.
    """
    walls, cpus, waits = zip(*turns, strict=True)
    computed = sum(cpus)
    if None not in waits:
        return _part(computed, computed + sum(waits))
    return _part(computed, sum(walls)) if threads == 1 else None


def clock_of(threads: int) -> Callable[[], float]:
    """Give the clock by which operations are timed where so many threads compute."""
    return time.thread_time if by_cpu_time(threads) else time.perf_counter


def by_cpu_time(threads: int) -> bool:
    """Whether operations are timed in CPU time: that of one thread, where ticks are not coarse.

    Other programs cannot lengthen it by what they take.
    """
    return threads == 1 and time.get_clock_info("thread_time").resolution <= FINE


def _waits() -> dict[str, int]:
    """Read the nanoseconds that each thread has waited for a core; empty where nobody says."""
    found = {}
    with suppress(OSError):
        for task in TASKS.iterdir():
            with suppress(OSError, ValueError, IndexError):  # a thread may just have ended
                found[task.name] = int((task / "schedstat").read_text().split()[1])
    return found


def _part(some: float, whole: float) -> float:
    return min(1.0, some / whole) if whole > 0 else 1.0
