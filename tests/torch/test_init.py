"""How weights start, as each spec says it."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

import archgen
from archgen.spec import Net

pytestmark = pytest.mark.torch

WIDE = (
    "stem: {block: conv_norm, width: 64, kernel: 7}",
    "body: {block: conv_norm, width: 128, groups: 4}",
    "head: {block: pool_linear, classes: 1000}",
)


def near(weight: Tensor, deviation: float) -> bool:
    """Whether a large tensor looks drawn from N(0, deviation)."""
    count = weight.numel()
    return (
        abs(weight.mean().item()) < 5 * deviation / sqrt(count)
        and abs(weight.std().item() / deviation - 1) < 5 / sqrt(2 * count)
        and weight.abs().max().item() > 2.5 * deviation
    )


def within(weight: Tensor, bound: float) -> bool:
    """Whether a tensor looks drawn uniformly from -bound to bound."""
    return 0.95 * bound < weight.abs().max().item() <= bound and bool(
        abs(weight.mean().item()) < 5 * bound / sqrt(3 * weight.numel())
    )


@pytest.mark.parametrize(
    ("rule", "stem", "body"),
    [
        ("he_fan_out", sqrt(2 / (64 * 49)), sqrt(2 / (128 * 9))),
        ("he_fan_in", sqrt(2 / (3 * 49)), sqrt(2 / (16 * 9))),
    ],
)
def test_he_normal_convolutions(net, rule: str, stem: float, body: float):
    model = archgen.build(net(*WIDE, init=f"{{conv: {rule}}}"))
    assert near(model.stem.conv.weight, stem)
    assert near(model.body.conv.weight, body)


def test_he_is_the_default_and_is_torchs_kaiming_normal(net):
    model = archgen.build(net(*WIDE))
    same = nn.init.kaiming_normal_(torch.empty(128, 16, 3, 3), mode="fan_out", nonlinearity="relu")
    ratio = model.body.conv.weight.std() / same.std()
    assert 0.95 < ratio.item() < 1.05


def test_defaults_are_pytorchs_own(net):
    """Uniform within 1 / sqrt(fan_in), weights and biases, as nn.Conv2d and nn.Linear start."""
    model = archgen.build(net(*WIDE, init="{conv: default}"))
    assert within(model.stem.conv.weight, 1 / sqrt(3 * 49))
    assert within(model.body.conv.weight, 1 / sqrt(16 * 9))
    assert within(model.head.linear.weight, 1 / sqrt(128))
    assert within(model.head.linear.bias, 1 / sqrt(128))
    theirs = nn.Linear(128, 1000)
    assert 0.98 < (model.head.linear.weight.std() / theirs.weight.std()).item() < 1.02


@pytest.mark.parametrize(("rule", "deviation"), [("he_fan_in", sqrt(2 / 128)), ("normal", 0.01)])
def test_linear_rules(net, rule: str, deviation: float):
    model = archgen.build(net(*WIDE, init=f"{{linear: {rule}}}"))
    assert near(model.head.linear.weight, deviation)
    assert within(model.head.linear.bias, 1 / sqrt(128))


def test_zero_bias(net):
    model = archgen.build(net(*WIDE, init="{linear_bias: zero}"))
    assert model.head.linear.bias.abs().max() == 0
    assert within(model.head.linear.weight, 1 / sqrt(128))


def test_norms_start_as_identity(family: Net):
    for module in archgen.build(family).modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            assert torch.equal(module.weight, torch.ones_like(module.weight))
            assert torch.equal(module.bias, torch.zeros_like(module.bias))
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean.abs().max() == 0
            assert torch.equal(module.running_var, torch.ones_like(module.running_var))
            assert module.num_batches_tracked == 0


def test_shortcut_weights_start_from_a_normalised_resnet(families: dict[str, Net]):
    model = archgen.build(families["dsnet"])
    for unit, block in enumerate(model.stages[0]):
        starts = [getattr(block.dense, f"weight{i}") for i in range(unit + 1)]
        assert [start.unique().tolist() for start in starts] == [[0.0]] * unit + [[1.0]]
    inner = archgen.build(families["ds2net"]).stages[0][2].inner
    assert inner.weight0.abs().max() == inner.weight1.abs().max() == 0


def test_every_tensor_is_set(family: Net, monkeypatch: pytest.MonkeyPatch):
    """Memory that nobody filled would show: all of it is made of NaN here."""
    empty = torch.empty

    def poisoned(*args: object, **kwargs: object) -> Tensor:
        result = empty(*args, **kwargs)
        return result.fill_(float("nan")) if result.is_floating_point() else result

    monkeypatch.setattr(torch, "empty", poisoned)
    model = archgen.build(family)
    for name, tensor in model.state_dict().items():
        assert tensor.isfinite().all(), name


def test_the_seed_decides(family: Net):
    def weights(seed: int) -> list[Tensor]:
        torch.manual_seed(seed)
        return list(archgen.build(family).parameters())

    first, second, other = weights(1), weights(1), weights(2)
    assert all(map(torch.equal, first, second))
    assert not all(map(torch.equal, first, other))


def test_a_new_start_for_a_used_module(families: dict[str, Net]):
    net = families["resnet"]
    torch.manual_seed(3)
    model = archgen.build(net)
    model(torch.randn(4, *net.input))
    torch.manual_seed(3)
    archgen.nn.initialise(model, net)
    torch.manual_seed(3)
    fresh = archgen.build(net).state_dict()
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in model.state_dict().items())
