"""``archgen calibrate``, and what ``archgen cost`` makes of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from archgen import load
from archgen.latency import Calibration, calibrated, cores, latency, processor, works


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
        {
            "seconds": pytest.approx(latency(load(name), found, 4)),
            "form": "eager",
            "dtype": "float32",
            "processor": processor(),
            "cores": cores(),
            "torch": version("torch"),
            "threads": 1,
        }
        for name in ("resnet50", "dpn68")
    ]
    told, _, heading, *_ = run("cost", "resnet50", "dpn68").stdout.splitlines()
    assert told.endswith("; latency is an estimate: eager, float32, 1 thread")
    assert heading.split()[-1] == "latency"


def keep(threads: int, *names: str) -> Path:
    """Keep a calibration of all operations of some specs, a microsecond for each term."""
    measured = {w: 1e-6 * threads for n in names for w in works(load(n).graph(), 1, threads)}
    return Calibration.of(measured.items(), threads=threads, glue=0).save()


DILATED = ["--set", "output_stride=8"]


def test_what_was_not_measured_is_a_dash_and_a_note(run, cache: Path) -> None:
    keep(1, "densenet121", "resnet50")
    result = run("cost", "densenet121", "resnet50", *DILATED, "--sort", "latency")
    assert result.exit_code == 0
    note = "no latency of densenet121: dilatedpool: no such operation was measured by"
    assert result.stderr == f"{note} 'archgen calibrate'\n"
    *_, first, last = result.stdout.splitlines()
    assert (first.split()[0], first.split()[-1]) == ("resnet50", "ms")
    assert (last.split()[0], last.split()[-1]) == ("densenet121", "-")
    rows = json.loads(run("cost", "densenet121", "resnet50", *DILATED, "--json").stdout)
    assert rows[0]["latency_estimate"] is None
    assert rows[1]["latency_estimate"]["seconds"] > 0
    alone = run("cost", "densenet121", *DILATED)
    assert re.search(r"^latency \(estimate\) +- +eager, float32, 1 thread$", alone.stdout, re.M)


def test_threads_are_chosen(run, cache: Path) -> None:
    keep(1, "resnet50")
    keep(4, "resnet50")
    assert "eager, float32, 4 threads" in run("cost", "resnet50").stdout
    assert "eager, float32, 1 thread\n" in run("cost", "resnet50", "--threads", "1").stdout
    other = run("cost", "resnet50", "--threads", "2")
    assert (other.exit_code, other.stdout) == (1, "")
    said = "nothing is calibrated here for 2 threads; run 'archgen calibrate --threads 2'"
    assert other.stderr == f"error: latency: {said}\n"


def test_rows_sort_by_latency(run, cache: Path) -> None:
    names = ["densenet121", "resnet50", "dpn68"]
    keep(1, *names)
    rows = json.loads(run("cost", *names, "--sort", "latency", "--json").stdout)
    seconds = [row["latency_estimate"]["seconds"] for row in rows]
    assert seconds == sorted(seconds)
    assert [row["name"] for row in rows] != names


def test_a_damaged_file_is_noted_and_stops_nothing(run, cache: Path) -> None:
    keep(1, "resnet50")
    path = keep(2, "resnet50")
    path.write_text("[" * 100_000)
    result = run("cost", "resnet50")
    assert result.exit_code == 0
    assert "eager, float32, 1 thread\n" in result.stdout
    assert result.stderr == f"calibration {path} is damaged; run 'archgen calibrate'\n"


@pytest.mark.parametrize("place", ["x" * 300, "file", "file/below", "locked"])
def test_a_strange_cache_stops_nothing(run, here: Path, monkeypatch, place: str) -> None:
    (here / "file").write_text("")
    (here / "locked").mkdir(mode=0)
    monkeypatch.setenv("ARCHGEN_CACHE", str(here / place))
    result = run("cost", "resnet50")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "latency" not in result.stdout


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
