"""``weights``: checkpoints of others become networks of archgen's, or it is said why not."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

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


@pytest.fixture
def small(here: Path) -> Path:
    path = here / "small.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def model(small: Path) -> Any:
    """A network with statistics and all, and ``w.pth``: its weights under torchvision's names."""
    import torch

    import archgen
    from archgen.export.names.torchvision import RESNET

    torch.manual_seed(3)
    model = archgen.build(archgen.load(small)).double()
    model(torch.randn(16, 1, 8, 8, dtype=torch.float64))
    state = {RESNET.theirs(name): tensor for name, tensor in model.state_dict().items()}
    saved = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": saved}, "w.pth")
    return model.eval()


def test_what_is_written_is_the_same_network(run, model: Any, small: Path) -> None:
    import torch
    from safetensors.torch import load_file

    import archgen

    result = run("weights", small, "--from", "w.pth", "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "w.pth (state_dict): the names are those of torchvision's ResNet",
        "loaded 32 of 32 tensors into small",
        *[f"wrote nets/small.{suffix}" for suffix in ("safetensors", "py", "yaml")],
    ]
    again = archgen.build(archgen.load("nets/small.yaml")).double().eval()
    again.load_state_dict(load_file("nets/small.safetensors"))
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    assert torch.equal(again(x), model(x))


def test_eval_takes_what_is_written(run, model: Any, small: Path) -> None:
    assert run("weights", small, "--from", "w.pth", "--out", "nets").exit_code == 0
    result = run("eval", "nets", "--data", "digits", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["images"] == 355
    without = run("eval", "nets")
    assert without.exit_code == 1
    assert "does not say what it was trained on; give --data" in without.stderr


def test_json_tells_all(run, model: Any, small: Path) -> None:
    result = run("weights", small, "--from", "w.pth", "--classes", 7, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    loaded = document.pop("loaded")
    assert len(loaded) == 30
    assert loaded["stages.1.0.shortcut.norm.running_var"] == "layer2.0.downsample.1.running_var"
    assert document == {
        "name": "small",
        "weights": "w.pth",
        "source": "torchvision's ResNet",
        "entry": "state_dict",
        "new": ["head.linear.weight", "head.linear.bias"],
        "missing": {},
        "unexpected": [],
        "misfits": [],
        "unused": {},
        "not_finite": [],
        "fits": True,
        "files": [],
    }


def test_a_backbone_takes_the_whole_file(run, model: Any, small: Path) -> None:
    outputs = ("--set", "outputs=[stages.0]")
    result = run("weights", small, "--from", "w.pth", *outputs, "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:3] == [
        "w.pth (state_dict): the names are those of torchvision's ResNet",
        "left out layer2.0.conv1.weight, layer2.0.bn1.weight and 15 more: no output needs them",
        "loaded 15 of 15 tensors into small",
    ]


def test_a_new_classifier_is_said_and_decided_by_the_seed(run, model: Any, small: Path) -> None:
    import torch
    from safetensors.torch import load_file

    first = run("weights", small, "--from", "w.pth", "--classes", 7, "--out", "one")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.splitlines()[1:3] == [
        "new for 7 classes: head.linear.weight, head.linear.bias",
        "loaded 30 of 32 tensors into small",
    ]
    run("weights", small, "--from", "w.pth", "--classes", 7, "--out", "two")
    run("weights", small, "--from", "w.pth", "--classes", 7, "--out", "three", "--seed", 1)
    one, two, three = (
        load_file(Path(folder, "small.safetensors")) for folder in ("one", "two", "three")
    )
    assert all(torch.equal(one[name], tensor) for name, tensor in two.items())
    differ = {name for name, tensor in three.items() if not torch.equal(one[name], tensor)}
    assert differ == {"head.linear.weight", "head.linear.bias"}


WIDER = ("--set", "stages.width=[8, 20]")


def test_what_does_not_fit_is_refused(run, model: Any, small: Path) -> None:
    result = run("weights", small, "--from", "w.pth", *WIDER, "--out", "nets")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: w.pth: these weights do not fit small, read as torchvision's ResNet; "
        "--partial loads what fits; "
        "layer2.0.conv1.weight is [16, 8, 3, 3], not [20, 8, 3, 3], "
        "layer2.0.bn1.weight is [16], not [20] and 14 more (--json lists all)\n"
    )
    assert not Path("nets").exists()
    document = json.loads(
        (result := run("weights", small, "--from", "w.pth", *WIDER, "--json")).stdout
    )
    assert result.exit_code == 1
    assert not document["fits"]
    assert len(document["misfits"]) == 16
    assert document["misfits"][0] == {
        "ours": "stages.1.0.conv1.weight",
        "theirs": "layer2.0.conv1.weight",
        "wanted": [20, 8, 3, 3],
        "given": [16, 8, 3, 3],
    }


def test_partial_loads_what_fits_and_says_what_not(run, model: Any, small: Path) -> None:
    import torch

    content = torch.load("w.pth")
    content["state_dict"]["module.more"] = torch.zeros(1)
    del content["state_dict"]["module.conv1.weight"]
    torch.save(content, "w.pth")
    result = run("weights", small, "--from", "w.pth", *WIDER, "--partial", "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert "loaded 15 of 32 tensors into small" in result.stdout
    assert result.stderr.splitlines() == [
        "not in the file, initialised: stem.conv.weight",
        "of another shape, initialised: stages.1.0.conv1.weight [20, 8, 3, 3] for [16, 8, 3, 3], "
        "stages.1.0.norm1.weight [20] for [16] and 14 more",
        "not in the network, left out: more",
    ]
    assert Path("nets/small.safetensors").is_file()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--from", "nowhere.pth"], "nowhere.pth: no such file"),
        (["--from", "."], ".: is a folder; give the .safetensors or .pth in it"),
        (["--from", "/dev/null"], "/dev/null: is no regular file"),
        (["--from", "small.yaml"], "small.yaml: cannot read these weights: neither"),
        (["--from", "small.yaml", "--out", "small.yaml"], "--out needs a folder"),
        (["--from", "small.yaml", "--deploy"], "--deploy: acts on what is written; give --out DIR"),
        (["--from", "small.yaml", "--set", "stem.width=0"], "stem.width: "),
    ],
)
def test_bad_input_is_one_line(run, small: Path, args: list[str], said: str) -> None:
    result = run("weights", "small.yaml", *args)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_page_shows_what_is_printed(run, here: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text()
    blocks = re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
    commands = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    assert len(commands) == 7
    for command, _, shown in (part.partition("\n") for part in commands):
        result = run(*shlex.split(command)[1:])
        assert shown in ("...\n", result.stdout + result.stderr)


def test_a_number_that_is_none_is_said(run, model: Any, small: Path) -> None:
    import torch

    content = torch.load("w.pth")
    content["state_dict"]["module.layer1.0.conv1.weight"][0, 0, 0, 0] = float("nan")
    content["state_dict"]["module.bn1.running_var"][1] = float("inf")
    torch.save(content, "w.pth")
    result = run("weights", small, "--from", "w.pth")
    assert result.exit_code == 0
    names = ["stem.norm.running_var", "stages.0.0.conv1.weight"]
    assert result.stderr == f"not finite (NaN or infinity): {', '.join(names)}\n"
    document = json.loads(run("weights", small, "--from", "w.pth", "--json").stdout)
    assert document["not_finite"] == names


def test_images_of_other_channels_are_one_option(run, model: Any, small: Path) -> None:
    result = run("weights", small, "--from", "w.pth", "--set", "input=[3,8,8]")
    assert result.exit_code == 1
    assert "; --set input=[1,8,8] takes theirs; conv1.weight is [8, 1, 3, 3]" in result.stderr


def test_a_folder_with_one_file_names_it(run, small: Path) -> None:
    assert run("build", small, "--out", "nets").exit_code == 0
    result = run("weights", small, "--from", "nets")
    assert result.stderr == "error: nets: is a folder; give nets/small.safetensors\n"


def test_classes_have_a_range(run, small: Path) -> None:
    result = run("weights", small, "--from", "w.pth", "--classes", 99999999999)
    assert result.exit_code == 2
    assert "--classes" in result.stderr


def test_a_file_is_needed(run, small: Path) -> None:
    assert run("weights", small).exit_code == 2


def test_the_deploy_form_is_written(run, model: Any, small: Path) -> None:
    import runpy

    import torch
    from safetensors.torch import load_file

    result = run("weights", small, "--from", "w.pth", "--deploy", "--out", "nets")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1:] == [
        "loaded 32 of 32 tensors into small",
        "wrote nets/small_deploy.safetensors",
        "wrote nets/small_deploy.py",
        "wrote nets/small_deploy.yaml",
    ]
    folded = runpy.run_path("nets/small_deploy.py")["SmallDeploy"]().double().eval()
    folded.load_state_dict(load_file("nets/small_deploy.safetensors"))
    assert not [name for name in folded.state_dict() if "norm" in name]
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    assert torch.allclose(folded(x), model(x), rtol=1e-9, atol=1e-12)


def test_a_peers_file_gives_the_peers_logits(run, here: Path) -> None:
    import torch
    import torchvision
    from safetensors.torch import load_file

    import archgen

    torch.manual_seed(0)
    peer = torchvision.models.resnet18().double()
    x = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    peer(x)
    torch.save(peer.eval().state_dict(), "peer.pth")
    result = run("weights", "resnet18", "--from", "peer.pth", "--out", "nets")
    assert result.exit_code == 0, result.stderr
    ours = archgen.build(archgen.load("nets/resnet18.yaml"), init=False).double().eval()
    ours.load_state_dict(load_file("nets/resnet18.safetensors"))
    with torch.no_grad():
        assert (ours(x) - peer(x)).abs().max() < 1e-12 * peer(x).abs().max()
