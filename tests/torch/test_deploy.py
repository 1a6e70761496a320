"""Deploy forms give what the networks give, to 1e-9 in float64, and are plain modules."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import archgen
from archgen import ArchError, files
from archgen.codegen import source
from archgen.graph import Builder, Map, add
from archgen.nn.folding import deploy_form, difference, folded_module
from archgen.nn.module import compiled, empty
from archgen.nn.save import save_deployed
from archgen.nn.verify import verify, verify_deployed
from archgen.ops import Conv, Pool
from archgen.passes.fold import fold
from archgen.spec import Net

pytestmark = pytest.mark.torch


def lively(model: nn.Module) -> nn.Module:
    """Give all norms random numbers, in float64, and switch to evaluation."""
    model = model.double().eval()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)
            if norm.affine:
                nn.init.uniform_(norm.weight, -1.5, 1.5)
                nn.init.normal_(norm.bias)
    return model


def tensors(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


@torch.no_grad()
def distance(model: nn.Module, deployed: nn.Module, *image: int) -> float:
    """Give the largest relative difference between the outputs of two modules."""
    x = torch.randn(*image, dtype=torch.float64)
    pairs = zip(tensors(model(x)), tensors(deployed(x)), strict=True)
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)


# --- the numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_gives_the_same_when_folded(name: str):
    net = archgen.load(name)
    model = lively(archgen.build(net))
    channels, side, _ = net.input
    assert distance(model, archgen.deploy(model), 1, channels, min(side, 64), min(side, 64)) < 1e-9


def test_families_give_the_same_when_folded(family: Net, wired_as: Callable[..., bool]):
    model = lively(archgen.build(family))
    deployed = archgen.deploy(model)
    assert distance(model, deployed, 3, *family.input) < 1e-12
    graph = deploy_form(family).graph
    assert wired_as(deployed, graph, torch.randn(2, *family.input, dtype=torch.float64))
    assert {n: tuple(p.shape) for n, p in deployed.named_parameters()} == {
        name: shape for name, _, shape in graph.params()
    }
    assert verify(deployed, graph).agrees


def large(x: Map, **options: int) -> Map:
    return x.conv("main", 8, **{"kernel": 3, **options}).norm("main_norm")


@pytest.mark.parametrize(
    "use",
    [
        lambda x: large(x) + x.conv("point", 8).norm("n"),
        lambda x: add([large(x), x.norm("n", affine=False), x, x]),
        lambda x: add([large(x, groups=4), x.conv("point", 8, groups=4), x, x.norm("n")]),
        lambda x: large(x, groups=2) + x.conv("point", 8, groups=8),
        lambda x: large(x, groups=2) + x.conv("point", 8, groups=4, bias=True),
        lambda x: large(x, groups=8) + x.norm("n"),
        lambda x: large(x, dilation=3) + x.conv("point", 8),
        lambda x: large(x, kernel=5) + x.conv("small", 8, 3).norm("n"),
        lambda x: large(x, kernel=5) + x.conv("small", 8, 3, dilation=2),
        lambda x: large(x, kernel=1) + x,
        lambda x: large(x, stride=2) + x.conv("point", 8, stride=2),
        lambda x: large(x, stride=2) + x.avg_pool(2, 2).conv("point", 8).norm("n"),
        lambda x: large(x, stride=2) + x.avg_pool(2, 2, ceil=True).conv("point", 8, groups=2),
        lambda x: large(x) + x.builder.add("p", Pool("avg", 3, 1, 1), x).conv("point", 8),
        lambda x: (large(x) + x.conv("point", 8)).norm("last", 0.1).act(),
        lambda x: x.conv("c", 8, 3, bias=True).norm("n1").dropout("d", 0.5).norm("n2"),
        lambda x: x.builder.add("c", Conv(8, 8, 4, stride=2, padding=1), x)
        + x.builder.add("b", Conv(8, 8, 2, stride=2), x),
    ],
)
def test_each_rule_is_exact(use: Callable[[Map], Map]):
    builder = Builder((8, 10, 10))
    graph = builder.graph("hand", [use(builder.input)])
    model = lively(empty(compiled(source(graph), "hand")))
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    folded = fold(graph)
    assert sum(isinstance(call.op, Conv) for call in folded.graph.calls) == 1
    assert len(folded.graph.calls) <= 3
    deployed = folded_module(folded, model.state_dict())
    assert distance(model, deployed, 2, 8, 10, 10) < 1e-13
