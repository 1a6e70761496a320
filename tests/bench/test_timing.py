"""The clock: turns, rounds, spreads, and what Ctrl-C keeps."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from archgen.bench import timing
from archgen.bench.timing import Spread, Timings, Turn, measure


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A work is called once to warm up, and once in a turn."""
    monkeypatch.setattr(timing, "WARMUP", 1e-4)
    monkeypatch.setattr(timing, "TURN", 1e-9)


def recorders(names: str, into: list[str]) -> list[Callable[[], None]]:
    """Works that take a millisecond each and write down that they were called."""

    def work(name: str) -> None:
        into.append(name)
        time.sleep(1e-3)

    return [lambda name=name: work(name) for name in names]  # type: ignore[misc]


def test_rounds_are_counted_and_sleep_is_no_computing():
    timings = measure([lambda: time.sleep(0.002), lambda: sum(range(100_000))], rounds=7)
    assert len(timings.rounds) == 7
    assert not timings.interrupted
    assert timings.wall(0).low >= 0.002
    assert timings.cpu(0).median < 0.001
    assert 0 < timings.cpu(1).low <= timings.cpu(1).median <= timings.cpu(1).high


def test_every_work_has_a_turn_a_round_and_a_call_before_it():
    calls: list[str] = []
    measure(recorders("abc", calls), rounds=6)
    assert calls[:3] == ["a", "b", "c"]
    rounds = ["".join(calls[3 + 6 * index :][:6]) for index in range(6)]
    assert rounds == ["aabbcc", "ccbbaa", "bbccaa", "aaccbb", "ccaabb", "bbaacc"]
    follows = {(a, b) for order in rounds for a, b in pairwise(order[::2])}
    assert follows == {(a, b) for a in "abc" for b in "abc" if a != b}


def test_what_is_fast_is_called_several_times_in_a_turn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timing, "WARMUP", 0.01)
    monkeypatch.setattr(timing, "TURN", 0.02)
    calls: list[int] = []
    timings = measure([lambda: calls.append(0)], rounds=1)
    assert len(calls) > 100
    assert timings.wall(0).median < 0.001, "a call's seconds, not a turn's"


def test_seconds_end_it_but_not_before_a_spread_is_known():
    parts: list[float] = []
    assert len(measure([lambda: None], seconds=1e-9, report=parts.append).rounds) == 5
    assert parts == [0.2, 0.4, 0.6, 0.8, 1.0]
    begin = time.perf_counter()
    assert len(measure([lambda: time.sleep(1e-3)], seconds=0.1).rounds) >= 5
    assert time.perf_counter() - begin >= 0.1


def test_ctrl_c_keeps_the_rounds_that_are_complete():
    calls: list[str] = []

    def interrupted() -> None:
        if len(calls) == 12:
            raise KeyboardInterrupt

    timings = measure([*recorders("ab", calls), interrupted], rounds=100)
    assert timings.interrupted
    # Two calls to warm up, then four a round: the third was not complete.
    assert len(timings.rounds) == 2
    assert gc.isenabled()


def test_ctrl_c_before_the_first_round_leaves_nothing():
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure([interrupted], rounds=1)


def test_a_device_is_waited_for_inside_the_turn():
    timings = measure([lambda: None], rounds=2, wait=lambda: time.sleep(0.003))
    assert timings.wall(0).low >= 0.003


def test_what_is_slow_is_called_once_before_it_is_timed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timing, "SLOW", 1e-4)
    calls: list[str] = []
    measure(recorders("ab", calls), rounds=2)
    assert "".join(calls) == "ab" + "ab" + "ba"


def test_spreads_are_quartiles():
    assert Spread.of([3.0]) == Spread(3, 3, 3)
    assert Spread.of([4.0, 1.0, 2.0, 3.0, 5.0]) == Spread(2, 3, 4)


def test_ratios_compare_within_a_round():
    """A machine that is twice as slow in every second round changes no ratio."""
    rounds = [(Turn(3 * slow, 1, slow), Turn(2 * slow, 1, 0)) for slow in (1, 2, 1, 2, 1)]
    timings = Timings(rounds)
    assert timings.ratio(0, 1) == Spread(1.5, 1.5, 1.5)
    assert timings.wall(1) == Spread(2, 2, 4)
    assert timings.share(0, 1) == pytest.approx(5 / 12), "computed 5, waited 7"
    assert timings.share(1, 1) == 1
