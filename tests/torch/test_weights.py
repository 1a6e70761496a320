"""Weights come back as they were written, or the first names that differ are said."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from archgen.errors import ArchError
from archgen.nn import build
from archgen.nn.save import save
from archgen.nn.weights import Weights, read_weights, restore
from archgen.spec import Net

pytestmark = pytest.mark.torch
Make = Callable[..., Net]
NODES = ("stem: {block: conv_norm, width: 4}", "head: {block: pool_linear, classes: 5}")


@pytest.fixture
def spec(net: Make) -> Net:
    return net(*NODES)


def same(one: torch.nn.Module, two: torch.nn.Module) -> bool:
    other = two.state_dict()
    return all(torch.equal(value, other[name]) for name, value in one.state_dict().items())


def test_safetensors_come_back_with_what_they_say(spec: Net, tmp_path: Path) -> None:
    model, other = build(spec), build(spec)
    weights, *_ = save(model, spec, tmp_path, metadata={"data": "digits"})
    read = read_weights(weights)
    assert read.metadata == {"archgen": "tiny", "data": "digits"}
    restore(other, read)
    assert same(model, other)


def test_a_state_dict_comes_back(spec: Net, tmp_path: Path) -> None:
    model, other = build(spec), build(spec)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    read = read_weights(tmp_path / "weights.pt")
    assert read.metadata == {}
    restore(other, read)
    assert same(model, other)


def test_another_networks_weights_are_refused_by_name(net: Make, spec: Net) -> None:
    tensors = build(net(NODES[0], NODES[1].replace("5", "6"))).state_dict()
    tensors["more.weight"] = tensors.pop("stem.conv.weight")
    with pytest.raises(ArchError) as caught:
        restore(build(spec), Weights(Path("w.pt"), tensors, {}))
    assert str(caught.value) == (
        "w.pt: these weights are another network's: it lacks stem.conv.weight; "
        "the network has no more.weight; head.linear.weight is [6, 4], not [5, 4], "
        "head.linear.bias is [6], not [5]"
    )


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("head.linear.bias", torch.zeros(5, device="meta"), "floating-point numbers (float32, str"),
        ("head.linear.bias", torch.zeros(5, dtype=torch.int8), "floating-point numbers (int8, str"),
        ("stem.norm.num_batches_tracked", torch.zeros(()).to(torch.cfloat), "numbers (complex64, "),
    ],
)
def test_what_holds_no_numbers_is_refused_by_name(
    spec: Net, name: str, tensor: torch.Tensor, said: str
) -> None:
    model = build(spec)
    weights = Weights(Path("w.pt"), model.state_dict() | {name: tensor}, {})
    with pytest.raises(ArchError, match=re.escape(f"w.pt: {name} is no plain tensor of {said}")):
        restore(model, weights)


def test_of_many_names_the_first_are_given(spec: Net) -> None:
    with pytest.raises(ArchError, match=r"it lacks stem.conv.weight, stem.norm.weight and 6 more$"):
        restore(build(spec), Weights(Path("w.pt"), {}, {}))


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
@pytest.mark.parametrize("content", [b"", b"no weights", bytes(100)])
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArchError, match="cannot read these weights: ") as caught:
        read_weights(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert caught.value.file == str(tmp_path / name)


def test_nothing_is_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / "w.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ArchError, match="cannot read these weights"):
        read_weights(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


def test_what_holds_no_tensors_by_name_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    with pytest.raises(ArchError, match="holds no state_dict"):
        read_weights(tmp_path / "w.pt")


# --- formats ------------------------------------------------------------------------------------


def saved(spec: Net, folder: Path, **how: Any) -> Path:
    torch.save(build(spec).state_dict(), folder / "w.pth", **how)
    return folder / "w.pth"


def test_a_wrong_checksum_is_damage(spec: Net, tmp_path: Path) -> None:
    path = saved(spec, tmp_path)
    content = bytearray(path.read_bytes())
    weight = torch.load(path)["stem.conv.weight"].numpy().tobytes()
    content[content.index(weight) + 5] ^= 1
    path.write_bytes(content)
    torch.load(path)  # which sees nothing
    message = "cannot read these weights: it is damaged: the checksum of w/data/0 is wrong"
    with pytest.raises(ArchError, match=message):
        read_weights(path)


def test_an_archive_without_checksums_is_read(spec: Net, tmp_path: Path) -> None:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(spec, tmp_path)
    finally:
        torch.serialization.set_crc32_options(before)
    restore(build(spec), read_weights(path))


def test_the_old_format_is_read(spec: Net, tmp_path: Path) -> None:
    path = saved(spec, tmp_path, _use_new_zipfile_serialization=False)
    restore(build(spec), read_weights(path))


def test_the_content_decides_and_not_the_suffix(spec: Net, tmp_path: Path) -> None:
    model, other = build(spec), build(spec)
    weights, *_ = save(model, spec, tmp_path)
    restore(other, read_weights(weights.rename(tmp_path / "a.pth")))
    assert same(model, other)
    model = build(spec)
    torch.save(model.state_dict(), tmp_path / "b.safetensors")
    restore(other, read_weights(tmp_path / "b.safetensors"))
    assert same(model, other)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_what_is_wrong_with_a_file_is_said(spec: Net, tmp_path: Path, suffix: str) -> None:
    def said(content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(ArchError) as caught:
            read_weights(path)
        return caught.value.message.removeprefix("cannot read these weights: ")

    if suffix == "pth":
        path = saved(spec, tmp_path)
        neither = "neither a .safetensors file nor a sound one that torch.save wrote"
    else:
        path, *_ = save(build(spec), spec, tmp_path)
        neither = "it is not a .safetensors file"
    content = path.read_bytes()
    assert said(b"") == "the file is empty"
    assert said(content[:-1]) == said(content[:30]) == "it is truncated or damaged"
    assert said(b"<!DOCTYPE html>") == neither


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path, message in [(tmp_path, "is a folder"), (tmp_path / "x", "no such file")]:
        with pytest.raises(ArchError, match=message):
            read_weights(path)
