"""A network meets other data: what changes is said, what cannot be is refused by law."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archgen import files
from archgen.errors import ArchError
from archgen.spec import Net, load
from archgen.spec.head import head_of
from archgen.train.adapt import adapt
from archgen.train.datasets import DATA_SETS, ImageFolder, check_fit, needs

Make = Callable[..., Net]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes; one folder that is none."""
    for name in ("owl", "cat", "dog", ".thumbs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
    return tmp_path / "pets"


def test_input_and_classes_become_the_datas() -> None:
    result = adapt(load("dpn68"), "fashion-mnist")
    assert result.net.input == (1, 28, 28)
    assert result.net.graph().classes == 10
    assert result.changes == (
        "input 3x224x224 -> 1x28x28 for fashion-mnist",
        "classes 1000 -> 10 for fashion-mnist",
    )
    assert result.net.get("stages") == load("dpn68").get("stages")


def test_what_fits_is_left_alone() -> None:
    net = load("pyramidnet_digits")
    result = adapt(net, "digits")
    assert result.net is net
    assert result.changes == ()


def test_the_head_is_found_by_what_it_is(net: Make) -> None:
    named = net("head: {block: conv_norm, width: 4}", "mouth: {block: pool_linear, classes: 7}")
    assert head_of(named) == "mouth"
    assert adapt(named, "cifar10").net.get("mouth.classes") == 10


def test_head_dropout_goes_through_the_spec(net: Make) -> None:
    plain = net("stem: {block: conv_norm, width: 4}", "top: {block: pool_linear, classes: 10}")
    result = adapt(plain, "cifar10", head_dropout=0.3)
    assert result.net.get("top.dropout") == 0.3
    assert result.changes == ("dropout of the head 0 -> 0.3 for the recipe",)
    assert adapt(result.net, "cifar10", head_dropout=0.3).changes == ()
    assert adapt(result.net, "cifar10").net.get("top.dropout") == 0.3
    assert adapt(plain, "cifar10", head_dropout=0.0).changes == ()


def test_networks_without_one_head_are_refused(net: Make) -> None:
    maps = net("stem: {block: conv_norm, width: 4}", "more: {block: conv_norm, width: 4}")
    with pytest.raises(ArchError, match=r"which has no classes; end with .*pool_linear"):
        adapt(maps, "cifar10")
    both = net(
        "stem: {block: conv_norm, width: 4}",
        "top: {block: pool_linear, classes: 10}",
        outputs=["stem", "top"],
    )
    with pytest.raises(ArchError, match="one output, tiny has 2: stem, top"):
        adapt(both, "cifar10")


def test_a_map_that_vanishes_is_refused_by_its_law() -> None:
    with pytest.raises(ArchError, match=r"densenet121 does not fit digits \(input 3x224x224"):
        adapt(load("densenet121"), "digits")


@pytest.mark.parametrize("data", DATA_SETS)
def test_every_shipped_network_fits_or_says_why(data: str) -> None:
    refused = {}
    for name in files.names("specs"):
        try:
            result = adapt(load(name), data)
        except ArchError as error:
            refused[name] = error.message
        else:
            check_fit(data, result.net.input, result.net.graph().classes)
    assert len(refused) < 50
    for name, message in refused.items():
        assert f"{name} does not fit {data}" in message


def test_a_folder_gives_its_classes_and_keeps_the_input(folder: Path) -> None:
    data = f"imagefolder:{folder}"
    assert needs(data).input is None
    assert ImageFolder.find(data).classes == ("cat", "dog", "owl")
    result = adapt(load("resnet18"), data)
    assert result.net.input == (3, 224, 224)
    assert result.changes == (f"classes 1000 -> 3 for {data}",)


def test_a_relative_folder_may_lie_below_the_root(folder: Path) -> None:
    assert ImageFolder.find("imagefolder:pets", folder.parent).path == folder
    with pytest.raises(ArchError, match=r"no folder birds or .*birds for imagefolder:birds"):
        needs("imagefolder:birds", folder.parent)


def test_split_folders_are_not_classes(folder: Path) -> None:
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            (folder / part / name).mkdir(parents=True)
    found = ImageFolder.find(f"imagefolder:{folder}")
    assert found.classes == ("cat", "dog")
    assert found.parts == {"train": folder / "train", "val": folder / "val"}
    (folder / "val" / "eel").mkdir()
    with pytest.raises(ArchError, match="val: data: class 'eel' is not in train/"):
        needs(f"imagefolder:{folder}")


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="0 classes: give one sub-folder"):
        needs(f"imagefolder:{tmp_path}")


def test_fit_of_network_and_data(folder: Path) -> None:
    check_fit("digits", (1, 8, 8), 10)
    with pytest.raises(ArchError, match="digits has images of 1x8x8, the network takes 3x32x32"):
        check_fit("digits", (3, 32, 32), 10)
    with pytest.raises(ArchError, match="digits has 10 classes, the network has 100"):
        check_fit("digits", (1, 8, 8), 100)
    with pytest.raises(ArchError, match="no head"):
        check_fit("digits", (1, 8, 8), None)
    with pytest.raises(ArchError, match="did you mean 'digits'"):
        check_fit("digit", (1, 8, 8), 10)
    check_fit(f"imagefolder:{folder}", (1, 64, 64), 3)
    with pytest.raises(ArchError, match="1 or 3 channels, the network takes 2x64x64"):
        check_fit(f"imagefolder:{folder}", (2, 64, 64), 3)


def test_adapting_imports_no_torch() -> None:
    code = "import sys, archgen.train.adapt; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
