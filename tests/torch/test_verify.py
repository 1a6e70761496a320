from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from archgen import build, load
from archgen.nn.save import save
from archgen.nn.verify import verify
from archgen.spec import Net

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    "name", ["resnet18", "dpn68", "densenet121", "parnet_s", "dsnet18", "pyramidnet_digits"]
)
def test_torch_agrees(name: str) -> None:
    net = load(name).set({"input": [3, 64, 64]} if name != "pyramidnet_digits" else {})
    verdict = verify(build(net), net)
    assert verdict.agrees, verdict
    assert verdict.params == int(verdict.checks[0].computed.replace(",", ""))


def test_several_outputs_are_compared(net: Callable[..., Net]) -> None:
    spec = net("a: {block: conv_norm, width: 8}", "b: {block: conv_norm, width: 4, stride: 2}",
               outputs="[a, b]")  # fmt: skip
    verdict = verify(build(spec), spec)
    assert verdict.agrees
    assert verdict.checks[-1].counted == "8x32x32 and 4x16x16"


def test_the_model_is_left_as_it_was(net: Callable[..., Net]) -> None:
    spec = net("a: {block: conv_norm, width: 8}")
    model = build(spec)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    verify(model, spec)
    assert model.training
    assert not verify(model.eval(), spec) or not model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_other_modules_are_found_out(net: Callable[..., Net]) -> None:
    spec = net("a: {block: conv_norm, width: 8}", "head: {block: pool_linear, classes: 10}")
    model = build(spec)
    assert isinstance(model.a, nn.Module)
    model.a.conv = nn.Conv2d(3, 8, 5, padding=2, bias=False)
    verdict = verify(model, spec)
    assert not verdict.agrees
    assert [check.what for check in verdict.checks if not check.agrees] == ["parameters", "MACs"]


def test_a_model_without_parameters(net: Callable[..., Net]) -> None:
    spec = net("a: {block: concat, from: [input, input]}")
    assert verify(build(spec), spec).agrees


def test_saved_weights_are_the_models(net: Callable[..., Net], tmp_path: Path) -> None:
    spec = net("a: {block: conv_norm, width: 8}")
    model = build(spec)
    files = save(model, spec, tmp_path / "new" / "folder")
    assert [path.name for path in files] == ["tiny.safetensors", "tiny.py", "tiny.yaml"]
    loaded = load_file(files[0])
    assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())
