"""``eval`` on what ``train``, ``build`` and ``search`` leave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch

SPEC = """\
name: small
input: [1, 8, 8]
nodes:
  stem:   {block: conv_norm, width: 8}
  stages: {block: basic, depth: [1, 1], width: [8, 16], stride: [1, 2], shortcut: projection}
  head:   {block: pool_linear, classes: 10}
"""
STUDY = """\
name: tiny
spec: small.yaml
vary: {stem.width: {from: 2, to: 9}}
score: {top1: maximize}
train: {data: digits, epochs: 1, batch: 256}
sampler: {kind: random}
trials: 1
"""


@pytest.fixture
def nets(run, here: Path) -> Path:
    """A network trained for two epochs, and what its training said."""
    (here / "small.yaml").write_text(SPEC)
    result = run("train", "small.yaml", "--epochs", 2, "--out", "nets", "--json")
    assert result.exit_code == 0, result.stderr
    (here / "trained.json").write_text(result.stdout)
    return here / "nets"


def test_it_repeats_what_training_said(run, nets: Path, here: Path) -> None:
    trained = json.loads((here / "trained.json").read_text())
    for split in ("test", "validation"):
        result = run("eval", "nets", "--split", split, "--json")
        assert result.exit_code == 0, result.stderr
        document = json.loads(result.stdout)
        assert (document["data"], document["split"]) == ("digits", split)
        assert document["images"] == 355
        assert document["input"] == [1, 8, 8]
        assert document["top1"] == pytest.approx(trained[split]["top1"])
        assert document["loss"] == pytest.approx(trained[split]["loss"], rel=1e-4)
        assert document["top5"] > document["top1"]
        assert [*document["per_class"]] == [*"0123456789"]
        assert document["images_per_second"] > 0


def test_it_prints_a_table(run, nets: Path) -> None:
    result = run("eval", nets / "small.safetensors", "--per-class", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    title, heading, _, row, _, classes, _, *shares = result.stdout.splitlines()
    assert title == "small on the test split of digits, 1x8x8, cpu"
    assert heading.split() == ["images", "top-1", "top-5", "loss", "images/s"]
    assert row.split()[0] == "355"
    assert classes.split() == ["class", "top-1"]
    assert [share.split()[0] for share in shares] == [*"0123456789"]


def test_larger_images_are_looked_at_in_three_ways(run, nets: Path) -> None:
    losses = set()
    for view in ([], ["--ten-crop"], ["--mean-max"]):
        result = run("eval", "nets", "--resolution", 10, *view, "--json")
        assert result.exit_code == 0, result.stderr
        document = json.loads(result.stdout)
        assert document["input"] == [1, 10, 10]
        losses.add(document["loss"])
    assert len(losses) == 3
    assert run("eval", "nets", "--ten-crop").stdout.startswith(
        "small on the test split of digits, 1x9x9, ten-crop, "
    )


def test_a_trial_of_a_search(run, here: Path) -> None:
    (here / "small.yaml").write_text(SPEC)
    (here / "tiny.yaml").write_text(STUDY)
    assert run("search", "--space", "tiny.yaml").exit_code == 0
    (weights,) = (here / "studies" / "runs").rglob("weights.pt")
    best = json.loads(run("best", "tiny", "--json").stdout)["best"][0]
    result = run("eval", weights.parent, "--split", "validation", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["top1"] == pytest.approx(best["top1"])


def test_weights_alone_need_spec_and_data(run, nets: Path, here: Path) -> None:
    assert run("build", "small.yaml", "--out", "built").exit_code == 0
    shutil.copy("built/small.safetensors", "alone.safetensors")
    result = run("eval", "alone.safetensors")
    assert "no alone.yaml or spec.yaml beside these weights; give --spec" in result.stderr
    result = run("eval", "alone.safetensors", "--spec", "small.yaml")
    assert "does not say what it was trained on; give --data" in result.stderr
    result = run("eval", "alone.safetensors", "--spec", "small.yaml", "--data", "digits")
    assert result.exit_code == 0, result.stderr


def test_other_data_adapts_the_input_and_says_so(run, nets: Path, here: Path) -> None:
    from PIL import Image

    for index in range(10):
        (here / "photos" / str(index)).mkdir(parents=True)
        for image in range(3):
            Image.new("RGB", (12, 9), (index * 20,) * 3).save(
                here / "photos" / str(index) / f"{image}.png"
            )
    result = run("eval", "nets", "--data", "imagefolder:photos", "--resolution", 16)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("small on the test split of imagefolder:photos, 1x16x16")
    assert result.stderr == ""


def test_a_folded_network_is_as_good(run, nets: Path) -> None:
    trained = nets / "small.safetensors"
    result = run("weights", "small.yaml", "--from", trained, "--deploy", "--out", "fast")
    assert result.exit_code == 0, result.stderr
    plain, folded = (
        json.loads(run("eval", where, "--device", "cpu", "--json").stdout)
        for where in ("nets", "fast")
    )
    assert (plain["folded"], folded["folded"]) == (False, True)
    assert folded["data"] == "digits"
    assert folded["top1"] == plain["top1"]
    assert folded["per_class"] == plain["per_class"]
    assert folded["loss"] == pytest.approx(plain["loss"], rel=1e-5)
    said = run("eval", "fast", "--device", "cpu").stdout.splitlines()[0]
    assert said == "small, folded, on the test split of digits, 1x8x8, cpu"
    assert run("eval", "fast", "--resolution", 10, "--mean-max").exit_code == 0
    wrong = run("eval", "fast", "--spec", "resnet18")
    assert "these weights are another network's" in wrong.stderr


def test_a_folded_network_is_no_start(run, nets: Path) -> None:
    trained = nets / "small.safetensors"
    run("weights", "small.yaml", "--from", trained, "--deploy", "--out", "fast")
    result = run("weights", "small.yaml", "--from", "fast/small_deploy.safetensors")
    assert result.exit_code == 1
    assert "; these weights are folded: the training form's are needed; " in result.stderr


def test_what_a_new_classifier_was_trained_on_is_not_known(run, nets: Path) -> None:
    trained = nets / "small.safetensors"
    run("weights", "small.yaml", "--from", trained, "--classes", 10, "--out", "new")
    assert "does not say what it was trained on" in run("eval", "new").stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["."], "needs one .safetensors file or a weights.pt, has 0"),
        (["nets", "--spec", "resnet18"], "these weights are another network's: "),
        (["nets", "--data", "cats"], "data: no data set 'cats'"),
        (["nets", "--data", "cifar10"], "CIFAR10 is not here; looked in data/cifar-10"),
        (["nets", "--mean-max"], "mean-max: a resolution above 8 is needed"),
        (["nets", "--ten-crop", "--resolution", 8], "ten-crop: a resolution above 8 is needed"),
        (["nets", "--ten-crop", "--mean-max"], "crops have the network's own size"),
        (["nets", "--device", "warp"], "device: no device 'warp'"),
        (["nets/small.yaml"], "cannot read these weights"),
    ],
)
def test_it_refuses_in_one_line(run, nets: Path, args: list[object], message: str) -> None:
    result = run("eval", *args)
    assert result.exit_code == 1
    assert result.stdout == ""
    *_, line = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_two_networks_in_a_folder_are_told_apart_by_the_user(run, nets: Path) -> None:
    shutil.copy(nets / "small.safetensors", nets / "other.safetensors")
    result = run("eval", "nets")
    assert "has 2: other.safetensors, small.safetensors" in result.stderr
