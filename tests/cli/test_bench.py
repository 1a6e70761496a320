"""``archgen bench``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
QUICK = ["--rounds", "3", "--threads", "1", "--device", "cpu"]


def test_forms_are_rows(run, small: Path) -> None:
    done = run("bench", small, "--form", "eager,folded", "--batch", "4", *QUICK)
    assert done.exit_code == 0
    machine, conditions, _, head, _, eager, folded = done.stdout.splitlines()
    assert re.search(r"1 thread, \d+ cores; archgen \S+, torch \S+", machine)
    assert conditions == "1x8x8, batch 4, float32, contiguous; median of 3 rounds in turn"
    assert head.split("  ")[0] == "network"
    spread = r"[\d.,]+ \([\d.,]+ to [\d.,]+\)"
    assert re.fullmatch(rf"small +eager +{spread} +[\d.]+ +[\d.,]+ +1", eager)
    assert re.fullmatch(rf"small +folded +{spread} +[\d.]+ +[\d.,]+ +{spread}", folded)


def test_against_another_spec_the_other_comes_first(run, small: Path) -> None:
    options = ["--against", "pyramidnet_digits", "--set", "stages.width=[8,8]", "--json"]
    document = json.loads(run("bench", small, *options, *QUICK).stdout)
    assert [row["name"] for row in document["rows"]] == ["pyramidnet_digits", "small"]
    other, own = document["rows"]
    assert other["ratio"] == {"low": 1, "median": 1, "high": 1}
    assert own["seconds"]["low"] <= own["seconds"]["median"] <= own["seconds"]["high"]
    assert own["images_per_second"] == pytest.approx(1 / own["seconds"]["median"])
    assert document["rounds"] == 3
    assert document["conditions"] == {
        "device": "cpu",
        "threads": 1,
        "batch": 1,
        "dtype": "float32",
        "memory_format": "contiguous",
    }
    assert document["machine"]["versions"]["torch"]


def test_against_timm(run, small: Path) -> None:
    pytest.importorskip("timm")
    change = ["--set", "input=[3,32,32]"]
    done = run("bench", small, *change, "--against", "timm:test_resnet", "--json", *QUICK)
    document = json.loads(done.stdout)
    assert [row["name"] for row in document["rows"]] == ["timm:test_resnet", "small"]
    assert [row["input"] for row in document["rows"]] == [[3, 32, 32]] * 2


def test_threads_are_given_back(run, small: Path) -> None:
    import torch

    before = torch.get_num_threads()
    document = json.loads(
        run("bench", small, "--rounds", "1", "--threads", str(before + 1), "--json").stdout
    )
    assert document["conditions"]["threads"] == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--form", "eagr"],
            "--form: no form 'eagr'; did you mean 'eager'? (there are: compiled, ",
        ),
        (["--form", "eager,"], "--form: no form '' (there are: compiled, eager, folded, onnx"),
        (["--form", "eager,eager"], "--form: 'eager' is there twice"),
        (["--device", "cuda:99"], "device: no device 'cuda:99' here (there are: cpu"),
        (["--against", "resnt18"], "no spec 'resnt18' in the library; did you mean"),
        (["--set", "stages.width=[65536,65536]"], "small: "),
    ],
)
def test_mistakes_are_one_line(run, small: Path, options: list[str], said: str) -> None:
    done = run("bench", small, *options)
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {said}")


INTERRUPTED = """
import sys
from archgen.bench import timing
from archgen.cli import main

def announced(*args):
    for number, turns in enumerate(take_turns(*args), start=1):
        yield turns
        if number == ROUNDS:
            print("ready", file=sys.stderr, flush=True)

take_turns, timing.take_turns = timing.take_turns, announced
main()
"""


@pytest.mark.parametrize("output", ["table", "json"])
def test_ctrl_c_prints_what_was_measured(here: Path, small: Path, output: str) -> None:
    options = ["--rounds", "1000000", "--threads", "1"] + ["--json"] * (output == "json")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.replace("ROUNDS", "4"), "bench", str(small), *options],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    while process.stderr.readline() != "ready\n":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "interrupted: these are the rounds until then"
    if output == "json":
        document = json.loads(out)
        assert document["interrupted"]
        assert document["rounds"] >= 4
    else:
        assert int(re.search(r"median of ([\d,]+) rounds", out)[1].replace(",", "")) >= 4
        assert out.splitlines()[-1].startswith("small")
