"""``train``: its recipe, what it says, and how it goes on; with real training on digits."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch

RGB = """\
name: rgb
input: [3, 16, 16]
nodes:
  stem:   {block: conv_norm, width: 4}
  head:   {block: pool_linear, classes: 7}
"""


def start(*args: object, limit: int | None = None) -> subprocess.Popen[str]:
    """Train the spec ``small`` in a process of its own, which may write so many bytes a file."""

    def prepare() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "archgen", "train", "small.yaml", "--threads", "1"]
    return subprocess.Popen(
        [*command, "--device", "cpu", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        preexec_fn=prepare,
    )


def epochs(text: str) -> list[int]:
    lines = [line for line in text.splitlines() if line.startswith("epoch ")]
    return [int(line[6:].partition(":")[0]) for line in lines]


def weights(folder: str) -> dict[str, bytes]:
    from safetensors.numpy import load_file

    tensors = load_file(Path(folder, "small.safetensors"))
    return {name: tensor.tobytes() for name, tensor in tensors.items()}


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_the_same_command_goes_on(small: Path, here: Path, end: signal.Signals) -> None:
    more = ["--epochs", 40, "--batch", 256, "--with", "mixup=0.2", "--with", "ema=0.9"]
    with start(*more, "--out", "whole") as process:
        whole, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    with start(*more, "--out", "nets") as process:
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if line.startswith("epoch  3"):
                process.send_signal(end)
                break
        rest, error = process.communicate(timeout=120)
        seen += rest
    state = Path("nets/small.state.pt")
    assert state.is_file()
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert error == f"error: interrupted; the same command goes on from {state}\n"
    behind = max(epochs(seen))
    assert behind < 40
    with start(*more, "--out", "nets") as process:
        out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    said, *_ = out.splitlines()
    # Between its end and the line that tells of it, an epoch's state is written.
    known = {f"going on behind epoch {number} of 40" for number in (behind, behind + 1)}
    assert said in known
    assert epochs(out)[-1] == 40
    assert out.splitlines()[-2:] == whole.splitlines()[-2:]
    assert weights("nets") == weights("whole")
    left = sorted(path.name for path in Path("nets").iterdir() if path.name[0] != ".")
    assert left == ["small.py", "small.safetensors", "small.yaml"]


def test_ctrl_c_without_a_folder_says_what_would_help(small: Path) -> None:
    with start("--epochs", 500) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "error: interrupted; with --out DIR, the same command would go on from here\n"


def test_another_command_does_not_go_on(run, small: Path, here: Path) -> None:
    (here / "nets").mkdir()
    with start("--epochs", 500, "--out", "nets") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    result = run("train", small, "--epochs", 2, "--lr", 0.05, "--out", "nets")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "the state of another run: epochs 500 there, 2 here, lr 0.1 there, 0.05 here" in line


def test_a_full_disk_shows_before_training(small: Path, here: Path) -> None:
    with start("--epochs", 2, "--out", "nets", limit=4096) as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert error == "error: nets/small.state.pt: cannot write: file too large\n"
    assert not (here / "nets").exists()


def test_the_network_adapts_and_says_so(run, here: Path) -> None:
    (here / "rgb.yaml").write_text(RGB)
    result = run("train", "rgb.yaml", "--epochs", 1, "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:2] == [
        "input 3x16x16 -> 1x8x8 for digits",
        "classes 7 -> 10 for digits",
    ]
    assert "input: [1, 8, 8]" in Path("nets/rgb.yaml").read_text()
    assert run("build", "nets/rgb.yaml").exit_code == 0


def test_a_recipe_with_changes(run, small: Path) -> None:
    args = ["--recipe", "pyramidnet_cifar", "--data", "digits", "--epochs", 2]
    args += ["--with", "milestones=[0.5]", "--with", "head_dropout=0.1", "--with", "clip=5"]
    result = run("train", small, *args, "--precision", "bfloat16", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert "recipe pyramidnet_cifar: README of github.com/jhkim89/PyramidNet" in result.stderr
    assert document["changes"] == ["dropout of the head 0 -> 0.1 for the recipe"]
    recipe = document["recipe"]
    assert (recipe["batch"], recipe["decay"], recipe["milestones"]) == (128, "all", [0.5])
    assert document["setting"]["precision"] == "bfloat16"
    assert [epoch["lr"] for epoch in document["curve"]] == pytest.approx([0.1, 0.01])


def test_what_was_timed_is_said(run, small: Path) -> None:
    result = run("train", small, "--epochs", 1, "--precision", "auto", "--memory-format", "auto")
    assert result.exit_code == 0, result.stderr
    said = result.stdout.splitlines()[0]
    assert said.startswith("a step takes with float32, contiguous: ")
    assert said.count(" ms;") == 4
    assert "; chosen: " in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--recipe", "resnet"], "recipe: no recipe 'resnet'; did you mean 'resnet_cifar'?"),
        (["--with", "mixp=1"], "no field of a recipe 'mixp'; did you mean 'mixup'?"),
        (["--with", "mixup=a"], "mixup: needs a number, not 'a'"),
        (["--with", "clip=[1"], "--with: clip: '[1' is no value"),
        (["--precision", "half"], "precision: input should be 'float32', 'bfloat16', 'float16'"),
        (["--data", "cifar10", "--data-root", "."], "give --data-root with torchvision's layout"),
    ],
)
def test_mistakes_are_one_line(run, small: Path, args: list[str], message: str) -> None:
    result = run("train", small, *args)
    assert result.exit_code == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


# --- from given weights -------------------------------------------------------------------------


@pytest.fixture
def trained(run, small: Path) -> Path:
    """Weights of ``small``, trained for three epochs."""
    result = run("train", small, "--epochs", 3, "--out", "first")
    assert result.exit_code == 0, result.stderr
    return Path("first/small.safetensors")


def losses(run, *args: object) -> tuple[list[float], dict[str, Any]]:
    """Train ``small`` for an epoch at a low rate; give validation losses and the document."""
    result = run("train", *args, "--epochs", 1, "--lr", 0.01, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    return [epoch["loss"] for epoch in document["curve"]], document


def test_given_weights_are_ahead(run, trained: Path, small: Path) -> None:
    (scratch,), plain = losses(run, small)
    (tuned,), document = losses(run, small, "--from", trained)
    assert tuned < scratch - 0.3
    assert (plain["from"], document["from"]) == (None, str(trained))


def test_a_classifier_of_other_classes_is_new(run, trained: Path, small: Path) -> None:
    import torch

    import archgen
    from archgen.export.names.torchvision import RESNET

    torch.manual_seed(0)
    model = archgen.build(archgen.load(small).set({"head.classes": 7})).double()
    state = {RESNET.theirs(name): tensor for name, tensor in model.state_dict().items()}
    torch.save(state, "w.pth")
    result = run("train", small, "--epochs", 1, "--from", "w.pth", "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:2] == [
        "starting from w.pth: the names are those of torchvision's ResNet",
        "new for 10 classes: head.linear.weight, head.linear.bias",
    ]
    assert run("eval", "nets").exit_code == 0


def test_a_run_goes_on_with_its_own_start_alone(run, trained: Path, small: Path) -> None:
    more = ["--epochs", 40, "--batch", 256, "--from", trained, "--out", "nets"]
    with start(*more) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch  2"):
                process.kill()
                break
        process.communicate(timeout=60)
    result = run("train", small, *more[:4], "--out", "nets")
    assert result.exit_code == 1
    assert "the state of another run: other weights to start from; give" in result.stderr
    assert run("build", small, "--out", "other").exit_code == 0
    result = run("train", small, *more[:4], "--from", "other/small.safetensors", "--out", "nets")
    assert "the state of another run: other weights to start from; give" in result.stderr
    with start(*more) as process:
        out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    assert out.splitlines()[1].startswith("going on behind epoch ")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--from", "gone.pth"], "gone.pth: no such file"),
        (["--from", "."], ".: is a folder; give the .safetensors or .pth in it"),
        (["--from", "small.yaml"], "small.yaml: cannot read these weights: "),
        (["--set", "outputs=[stages.0]"], "outputs: small is cut off at stages.0 and gives no"),
        (["--set", "stem.width=5"], "these weights do not fit small; the file lacks stages.0.0.sh"),
    ],
)
def test_a_start_must_fit(run, trained: Path, small: Path, args: list[str], message: str) -> None:
    result = run("train", small, "--from", trained, *args)
    assert result.exit_code == 1
    assert message in result.stderr.splitlines()[-1]


# --- what is there already ----------------------------------------------------------------------


def test_a_finished_run_says_so_and_is_not_trained_again(run, trained: Path, small: Path) -> None:
    content = trained.read_bytes()
    state = trained.with_name("small.state.pt")
    state.write_bytes(b"left by a power cut after the weights were written")
    result = run("train", small, "--epochs", 3, "--out", "first")
    assert result.exit_code == 0, result.stderr
    said, *judged = result.stdout.splitlines()
    assert said == f"this run is finished; remove {trained} to train once more"
    assert [line.split()[0] for line in judged] == ["validation:", "test:"]
    document = json.loads(run("train", small, "--epochs", 3, "--out", "first", "--json").stdout)
    assert document["files"] == []
    assert [epoch["epoch"] for epoch in document["curve"]] == [1, 2, 3]
    assert f"loss {document['test']['loss']:.4g}" in judged[1]
    assert trained.read_bytes() == content
    assert not state.exists()


COMMANDS = [
    ["train", "small.yaml", "--epochs", 2],
    ["train", "small.yaml", "--epochs", 3, "--set", "stem.width=5"],
    ["train", "small.yaml", "--epochs", 3, "--from", "first/small.safetensors"],
    ["build", "small.yaml"],
    ["weights", "small.yaml", "--from", "first/small.safetensors"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(map(str, command)))
def test_trained_weights_are_not_replaced(run, trained: Path, command: list[object]) -> None:
    before = {path.name: path.read_bytes() for path in trained.parent.iterdir()}
    result = run(*command, "--out", "first")
    assert result.exit_code == 1
    message = "holds weights trained on digits; remove it or write elsewhere"
    assert result.stderr == f"error: {trained}: {message}\n"
    assert {path.name: path.read_bytes() for path in trained.parent.iterdir()} == before


def test_what_was_not_trained_may_be_replaced(run, small: Path) -> None:
    for seed in (1, 2):
        assert run("build", small, "--out", "nets", "--seed", seed).exit_code == 0
    assert run("train", small, "--epochs", 1, "--out", "nets").exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ["train", "small.yaml"],
        ["build", "small.yaml"],
        ["weights", "small.yaml", "--from", "w.pth"],
    ],
    ids=lambda command: command[0],
)
def test_a_folder_that_cannot_be_is_noticed_at_once(
    run, small: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("w.pth").touch()
    monkeypatch.setitem(sys.modules, "archgen.nn", None)  # to import it would be an error
    result = run(*command, "--out", "/proc/x")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: /proc/x: cannot make this folder: ")
