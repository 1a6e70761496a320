"""``train``, ``search`` and ``best``, with real training on digits."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archgen import load
from archgen.cli.options import complete_searched

pytestmark = pytest.mark.torch

STUDY = """\
name: tiny
spec: small.yaml
vary:
  stem.width: {from: 2, to: 9}
keep: {params: {max: 1400}}
score: {top1: maximize}
train: {data: digits, epochs: 2, batch: 256}
sampler: {kind: random}
trials: 2
"""


@pytest.fixture
def study(small: Path, here: Path) -> Path:
    path = here / "tiny.yaml"
    path.write_text(STUDY)
    return path


def test_train(run, small: Path) -> None:
    result = run("train", small, "--epochs", 2, "--out", "nets", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line[:8] for line in lines[:2]] == ["epoch 1:", "epoch 2:"]
    assert re.fullmatch(r"validation: top-1 \d+\.\d\d%, loss \S+", lines[-2])
    assert re.fullmatch(r"test:       top-1 \d+\.\d\d%, loss \S+", lines[-1])
    assert load("nets/small.yaml") == load(small)
    assert Path("nets/small.safetensors").stat().st_size > 4000


def test_train_as_json(run, small: Path) -> None:
    result = run("train", small, "--epochs", 2, "--seed", 3, "--json")
    document = json.loads(result.stdout)
    assert len(document["curve"]) == 2
    assert document["recipe"]["seed"] == 3
    assert document["validation"]["top1"] == document["curve"][-1]["top1"]
    assert 0 <= document["test"]["top1"] <= 100
    assert result.stderr.count("epoch") == 2
    again = json.loads(run("train", small, "--epochs", 2, "--seed", 3, "--json").stdout)
    assert again["test"] == document["test"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["small.yaml", "--epochs", 0], "epochs: input should be greater than or equal to 1"),
        (["small.yaml", "--lr", -1], "lr: input should be greater than 0"),
        (["small.yaml", "--data", "cats"], "data: no data set 'cats' (there are: cifar10"),
        (["small.yaml", "--device", "warp"], "device: no device 'warp'"),
        (["densenet121"], "densenet121 does not fit digits (input 3x224x224 -> 1x8x8 for digits"),
    ],
)
def test_train_refuses_in_one_line(
    run, small: Path, here: Path, args: list[str], message: str
) -> None:
    result = run("train", *args, "--out", "nets")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not (here / "nets").exists()


def test_divergence_is_an_error_and_writes_nothing(
    run, small: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(
        "torch.nn.functional.cross_entropy", lambda x, *_, **__: x.sum() * torch.nan
    )
    result = run("train", small, "--epochs", 2, "--out", "nets", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.endswith(
        "error: small: the training loss was no finite number in epoch 1 (nan); lower --lr\n"
    )
    assert not (here / "nets").exists()


def test_search_then_best_then_build(run, study: Path, here: Path) -> None:
    result = run("search", "--space", study, "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    assert "2 candidates trained" in result.stdout
    assert result.stdout.count(" complete: top1=") == 2
    assert "on the test split" in result.stdout
    shown = run("best", "tiny", "--out", "best.yaml")
    assert shown.exit_code == 0
    heading, _, first, second, wrote = shown.stdout.splitlines()
    assert heading.split() == ["candidate", "top1", "params", "macs", "values"]
    assert float(first.split()[1][:-1]) >= float(second.split()[1][:-1])
    assert wrote == f"wrote candidate {first.split()[0]} to best.yaml"
    assert run("build", "best.yaml").exit_code == 0
    rows = json.loads(run("best", here / "studies" / "runs" / "tiny", "--json").stdout)["best"]
    assert [str(row["number"]) for row in rows] == [first.split()[0], second.split()[0]]
    assert rows[0]["costs"]["params"] <= 1400


def test_search_goes_on_and_prints_json(run, study: Path) -> None:
    assert run("search", "--space", study, "--trials", 1).exit_code == 0
    result = run("search", "--space", study, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["ending"] == "complete"
    assert document["trained"] == 2
    assert document["best"][0]["test"] is not None
    assert "1 candidates are trained already" in result.stderr


def test_ctrl_c_keeps_the_results_and_exits_130(study: Path, here: Path) -> None:
    command = [sys.executable, "-m", "archgen", "search", "--space", "tiny.yaml", "--trials", "99"]
    study.write_text(STUDY.replace("epochs: 2", "epochs: 40").replace("to: 9", "to: 60"))
    process = subprocess.Popen(
        command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if " complete: " in line:
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted in the training of " in out
    assert "; the same command goes on from here" in out
    assert "Traceback" not in err


def test_no_such_study(run, study: Path) -> None:
    for args in (["search", "--space", "nowhere"], ["best", "nowhere"]):
        result = run(*args)
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "'nowhere'" in result.stderr


def test_best_of_two_scores_is_the_front_or_its_first(run, study: Path, here: Path) -> None:
    two = STUDY.replace("{top1: maximize}", "{top1: maximize, macs: minimize}")
    study.write_text(two.replace("trials: 2", "trials: 6"))
    assert run("search", "--space", study, "--device", "cpu").exit_code == 0
    front = json.loads(run("best", "tiny", "--json").stdout)["best"]
    assert len(front) > 1
    assert json.loads(run("best", "tiny", "-n", 1, "--json").stdout)["best"] == front[:1]
    assert complete_searched("ti") == ["tiny"]
