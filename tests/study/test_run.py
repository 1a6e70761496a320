"""What a search makes of what its processes say, in any order. No torch."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from archgen.study import load_study, search
from archgen.study.crew import Crew, Died
from archgen.study.job import Done, Grown, Trained
from archgen.study.propose import Proposer
from archgen.study.run import Wish, _Search
from archgen.study.stop import SIGNALS, Stop
from archgen.study.storage import WEIGHTS, owned, settle, trial_folder

from .conftest import Write


class Told(Crew):
    """Starts no process; keeps the answers."""

    def __init__(self) -> None:
        super().__init__(hang=1.0)
        self.answers: dict[int, bool] = {}

    def start(self, job: Any) -> None:
        pass

    def answer(self, number: int, reply: bool) -> None:
        self.answers[number] = reply


@pytest.fixture
def run(write: Write, tmp_path: Path) -> _Search:
    """A search of which candidates 0, 1 and 2 are in training."""
    keys = {"sampler": {"kind": "grid"}, "pruner": {"kind": "none"}}
    study = load_study(write(keep={}, weights=1, **keys))
    home = tmp_path / "run"
    with owned(home):
        settle(home, study)
    wish = Wish(9, "cpu", 3, 9.0, None, False, ())
    found = _Search(study, home, wish, Stop(), lambda _: None, None)
    found.crew = Told()
    found.proposer = Proposer(study, [], seed=0)
    found._begin = lambda number: None  # type: ignore[method-assign]
    while len(found.rows) < 3:
        found._next()
    return found


def end(run: _Search, number: int, top1: float) -> bool:
    """Let a candidate come to the end of its training; says whether it keeps its weights."""
    epoch = {"epoch": 2, "top1": top1, "loss": 1.0, "seconds": 1.0}
    run._hear(run.rows[number], Grown(epoch))
    run._hear(run.rows[number], Trained("finished"))
    assert isinstance(run.crew, Told)
    return run.crew.answers[number]


def test_weights_wait_until_better_ones_are_there(run: _Search) -> None:
    """One that fails while it writes its weights takes no other one's place."""

    def kept() -> set[int]:
        return {int(path.parent.name) for path in run.home.glob(f"trials/*/{WEIGHTS}")}

    assert end(run, 0, 50.0)
    (trial_folder(run.home, 0) / WEIGHTS).touch()
    run._hear(run.rows[0], Done())
    assert end(run, 1, 90.0)
    assert not end(run, 2, 40.0)
    run._hear(run.rows[2], Done())
    assert kept() == {0}
    run._hear(run.rows[1], Died("ended", again=False))
    assert kept() == {0}
    assert [row.number for row in run.best] == [0]
    assert run.rows[1].state == "failed"
    assert not run.ending


def test_ctrl_c_is_heard_while_the_device_is_tried(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def settle_in(*_: object, **__: object) -> None:
        heard.append(True)
        signal.raise_signal(signal.SIGINT)
        heard.append(False)

    monkeypatch.setattr("archgen.study.run.settle_in", settle_in)
    outcome = search(write(), folder=tmp_path / "run")
    assert (outcome.ending, heard) == ("interrupted", [True])


def test_signals_do_afterwards_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stop() as stop:
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as while a server is started
        signal.raise_signal(signal.SIGTERM)
        signal.signal(signal.SIGINT, heard)
    assert stop.requested
    assert [signal.getsignal(number) for number in SIGNALS] == before
