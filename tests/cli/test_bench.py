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


def test_other_inputs_have_a_column(run, small: Path) -> None:
    options = ["--against", small, "--set", "input=[1,16,16]"]
    lines = run("bench", small, *options, *QUICK).stdout.splitlines()
    assert lines[1].startswith("1x8x8 and 1x16x16, batch 1, ")
    assert lines[3].split()[:3] == ["network", "input", "form"]
    assert [line.split()[:3] for line in lines[5:]] == [
        ["small", "(A)", "1x8x8"],
        ["small", "(B)", "1x16x16"],
    ]


def test_two_of_one_name_are_told_apart(run, small: Path) -> None:
    document = json.loads(run("bench", small, "--against", small, "--json", *QUICK).stdout)
    assert [row["name"] for row in document["rows"]] == ["small (A)", "small (B)"]


def test_a_batch_without_room_is_one_line(run, small: Path, monkeypatch) -> None:
    monkeypatch.setattr("archgen.bench.memory.available_bytes", lambda: 2**24)
    done = run("bench", small, "--batch", "65536", *QUICK)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(
        r"error: small: batch 65,536: at least \S+ GiB are needed, 0\.0 GiB are there; "
        r"--batch \d+ fits\n",
        done.stderr,
    )


def test_mistakes_are_found_before_anything_is_built(run, small: Path, monkeypatch) -> None:
    pytest.importorskip("timm")

    def built(net: object) -> None:
        raise AssertionError

    monkeypatch.setattr("archgen.bench.subjects.spec_subject", built)
    done = run("bench", small, "--against", "timm:")
    assert done.stderr == "error: timm: give a name: timm:resnet50\n"
    done = run("bench", small, "--form", "onnxruntime", "--dtype", "float16", "--device", "cpu")
    assert done.stderr.startswith("error: form: onnxruntime is measured on the cpu in float32")


@pytest.mark.parametrize(
    ("threads", "said"), [(1, "others were at work"), (10**6, "they are more than cores")]
)
def test_waiting_is_said_with_its_cause(capsys, threads: int, said: str) -> None:
    from archgen.bench.conditions import Conditions
    from archgen.bench.machine import Machine
    from archgen.bench.run import Bench
    from archgen.cli.bench import _remark

    machine = Machine("a CPU", 2, "a CPU", {})
    _remark(Bench(machine, Conditions(threads=threads), [], 3, False, 0.25))
    assert f"threads waited for a core 75% of the time: {said}, and" in capsys.readouterr().err
    _remark(Bench(machine, Conditions(threads=threads), [], 3, False, None))
    assert capsys.readouterr().err == ""


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
