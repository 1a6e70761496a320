"""``archgen calibrate``, and what ``archgen cost`` makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archgen import load
from archgen.latency import calibrated, latency


@pytest.fixture
def cache(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHGEN_CACHE", str(here / "cache"))
    return here / "cache"


@pytest.mark.torch
def test_cost_estimates_once_it_is_calibrated(run, cache: Path, monkeypatch) -> None:
    monkeypatch.setattr("archgen.bench.calibrate.PASSES", 1)
    monkeypatch.setattr("archgen.bench.calibrate.RUNS", 1)
    before = run("cost", "resnet50").stdout
    assert "latency" not in before
    result = run("calibrate", "--threads", "1")
    assert result.exit_code == 0, result.stderr
    (path,) = cache.iterdir()
    assert f"wrote {path}" in result.stdout
    found = calibrated()
    assert found is not None
    assert found.threads == 1
    after = run("cost", "resnet50").stdout.splitlines()
    (line,) = [line for line in after if line not in before.splitlines()]
    assert line.startswith("latency (estimate)")
    assert line.endswith("ms  eager, float32, 1 thread")
    rows = json.loads(run("cost", "resnet50", "dpn68", "--batch", "4", "--json").stdout)
    assert [row["latency_estimate"] for row in rows] == [
        pytest.approx(latency(load(name), found, 4)) for name in ("resnet50", "dpn68")
    ]
    told, _, heading, *_ = run("cost", "resnet50", "dpn68").stdout.splitlines()
    assert told.endswith("; latency is an estimate: eager, float32, 1 thread")
    assert heading.split()[-1] == "latency"


def test_nothing_is_estimated_before(run, cache: Path) -> None:
    assert "latency_estimate" not in json.loads(run("cost", "resnet50", "--json").stdout)
    assert "latency" not in run("cost", "resnet50", "dpn68").stdout
    assert "archgen calibrate" in " ".join(run("cost", "--help").stdout.split()).replace("'", "")


@pytest.mark.torch
def test_an_interruption_leaves_nothing(here: Path, cache: Path) -> None:
    command = [sys.executable, "-m", "archgen", "calibrate", "--threads", "1"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=here,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not cache.exists():  # made before anything is measured
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "error: interrupted\n")
    assert not cache.exists()


def test_threads_are_counted_from_one(run) -> None:
    assert run("calibrate", "--threads", "0").exit_code == 2


@pytest.mark.torch
def test_a_folder_that_cannot_be_is_one_line(run, here: Path, monkeypatch) -> None:
    (here / "file").write_text("")
    monkeypatch.setenv("ARCHGEN_CACHE", str(here / "file"))
    result = run("calibrate")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "cannot make this folder" in result.stderr
