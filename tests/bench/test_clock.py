"""Clocks: what is computed, what waits for a core, and which clock times operations."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from archgen.bench import clock
from archgen.bench.clock import Turn, clock_of, share, timed

LINUX = clock.TASKS.is_dir()


def spin(seconds: float) -> None:
    """Compute for so many seconds of this thread's."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.mark.skipif(not LINUX, reason="only Linux says what waits")
def test_sleep_is_no_waiting() -> None:
    asleep = timed(lambda: time.sleep(0.2))
    assert asleep.wall >= 0.2
    assert asleep.waited is not None
    assert asleep.cpu + asleep.waited < 0.2


@pytest.mark.skipif(not LINUX, reason="only Linux says what waits")
def test_two_on_one_core_wait_for_each_other() -> None:
    """Another process that never rests takes half of a core, and that is what is seen."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    rival = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        turn = timed(lambda: spin(0.5))
    finally:
        rival.kill()
        rival.wait()
        os.sched_setaffinity(0, before)
    assert turn.waited is not None
    assert turn.waited > 0.1
    assert turn.wall == pytest.approx(turn.cpu + turn.waited, rel=0.1)
    found = share([turn], 1)
    assert found is not None
    assert found < 0.9


@pytest.mark.skipif(not LINUX, reason="only Linux says what waits")
def test_waiting_is_that_of_all_threads() -> None:
    """Two threads of this process on one core: one waits wherever the other computes."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    rival = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    stop = threading.Event()
    # It hands the lock of the interpreter over as soon as it has the core.
    thread = threading.Thread(target=lambda: [sum(range(10**4)) for _ in iter(stop.is_set, True)])
    thread.start()
    try:
        turn = timed(lambda: time.sleep(0.5))
    finally:
        stop.set()
        thread.join()
        rival.kill()
        rival.wait()
        os.sched_setaffinity(0, before)
    assert turn.waited is not None
    assert turn.waited > 0.05, "the thread that called slept, the other waited"


def test_shares_are_of_sums() -> None:
    turns = [Turn(1, 1, 0.0), Turn(9, 3, 4.0)]
    assert share(turns, 1) == share(turns, 8) == 4 / 8
    assert share([Turn(1, 0, 0.0)], 1) == 1


def test_where_nobody_says_what_waits_only_one_thread_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(clock, "TASKS", tmp_path / "none")
    turn = timed(lambda: spin(0.01))
    assert turn.waited is None
    assert share([turn], 1) == pytest.approx(min(1, turn.cpu / turn.wall))
    assert share([turn, turn], 2) is None


def test_garbage_waits_and_is_collected_again() -> None:
    seen: list[bool] = []
    timed(lambda: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("threads", "tick", "wanted"),
    [
        (1, 1e-9, time.thread_time),
        (1, 1e-6, time.thread_time),
        (1, 0.015625, time.perf_counter),
        (2, 1e-9, time.perf_counter),
    ],
)
def test_operations_are_timed_by_a_clock_that_is_fine(
    monkeypatch: pytest.MonkeyPatch, threads: int, tick: float, wanted: Callable[[], float]
) -> None:
    monkeypatch.setattr(time, "get_clock_info", lambda name: SimpleNamespace(resolution=tick))
    assert clock_of(threads) is wanted
