"""Real processes: killed, interrupted, terminated; then the same command again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

import archgen
from archgen.errors import ArchError
from archgen.study import Row, search, trials
from archgen.study.storage import JOURNAL

from .conftest import Write

pytestmark = pytest.mark.torch

SEARCH = """\
import sys
from pathlib import Path
from archgen.study import search
outcome = search(sys.argv[1], folder=Path(sys.argv[2]), device="cpu", trials=100)
print(outcome.ending, outcome.trained)
"""
TRAIN = {"data": "digits", "epochs": 12, "batch": 64, "lr": 0.1}


def start(study: Path, run: Path) -> subprocess.Popen[str]:
    root = str(Path(archgen.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SEARCH, str(study), str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )


def wait_for(
    run: Path, process: subprocess.Popen[str], wanted: Callable[[list[Row]], bool]
) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        if (run / JOURNAL).exists() and wanted(trials(run)):
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError("it never came so far")


def training_the_third(rows: list[Row]) -> bool:
    """Two are done, and a third has its first epoch behind it."""
    return sum(row.trained for row in rows) >= 2 and rows[-1].state == "running"


def test_kill_loses_no_finished_trial_and_trains_none_twice(write: Write, tmp_path: Path) -> None:
    study, run = write(keep={}, train=TRAIN), tmp_path / "run"
    with start(study, run) as process:
        wait_for(run, process, training_the_third)
        with pytest.raises(ArchError, match=f"another search is running .*{process.pid}"):
            search(study, folder=run, device="cpu")
        process.send_signal(signal.SIGKILL)
    before = trials(run)
    finished = [row for row in before if row.trained]
    outcome = search(study, folder=run, device="cpu", trials=len(finished) + 2)
    rows = trials(run)
    assert outcome.trained == len(finished) + 2
    assert [row for row in rows if row.number in {row.number for row in finished}][
        : len(finished)
    ] == finished
    assert rows[len(before) - 1].state == "interrupted"
    assert "running" not in {row.state for row in rows}
    digests = [row.digest for row in rows if row.trained]
    assert len(digests) == len(set(digests))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_keeps_its_results(
    write: Write, tmp_path: Path, number: signal.Signals
) -> None:
    study, run = write(keep={}, train=TRAIN), tmp_path / "run"
    with start(study, run) as process:
        wait_for(run, process, training_the_third)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    rows = trials(run)
    finished = [row for row in rows if row.trained]
    assert out == f"interrupted {len(finished)}\n"
    assert len(finished) >= 2
    assert {row.state for row in rows} <= {"complete", "pruned", "duplicate", "interrupted"}
    outcome = search(study, folder=run, device="cpu", trials=len(finished) + 1)
    assert outcome.trained == len(finished) + 1
    assert [row.digest for row in trials(run)[: len(rows)]] == [row.digest for row in rows]
