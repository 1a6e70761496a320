"""The peak of inference is what PyTorch's dispatcher sees come and go, to the byte."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from archgen import build, files
from archgen.analysis import peak_bytes
from archgen.codegen import source
from archgen.graph import Builder, Graph, Map, add
from archgen.nn.folding import deploy_form
from archgen.nn.module import compiled, empty
from archgen.ops import DilatedPool, Frame, Pool
from archgen.spec import Net

from .conftest import small
from .test_deploy_properties import Unit, unit, written

pytestmark = pytest.mark.torch


class Lives(TorchDispatchMode):
    """Counts the bytes of storages that operations give, from their making to their end."""

    def __init__(self, *given: torch.Tensor) -> None:
        super().__init__()
        self.alive = {tensor.untyped_storage()._cdata: 0 for tensor in given}
        self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.alive:
                self.alive[storage._cdata] = storage.nbytes()
                weakref.finalize(storage, self.alive.pop, storage._cdata)
        self.peak = max(self.peak, sum(self.alive.values()))
        return result


@torch.no_grad()
def seen(model: nn.Module, net: Net | Graph, batch: int) -> int:
    shape = net.input if isinstance(net, Net) else net.calls[0].shape
    images = torch.rand(batch, *shape)
    model.eval()
    with Lives(images, *model.parameters(), *model.buffers()) as lives:
        result = model(images)
    assert result is not None
    return lives.peak


def made(graph: Graph) -> nn.Module:
    return empty(compiled(source(graph), graph.name))


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_and_its_deploy_form(name: str):
    net = small(name)
    assert peak_bytes(net) == seen(build(net, init=False), net, 1)
    folded = deploy_form(net).graph
    assert peak_bytes(folded, 2) == seen(made(folded), folded, 2)


@pytest.mark.parametrize("limit", [16, 1])
def test_each_family(family: Net, limit: int):
    net = family.set({"output_stride": limit})
    assert peak_bytes(net, 2) == seen(build(net, init=False), net, 2)
    folded = deploy_form(net).graph
    assert peak_bytes(folded, 3) == seen(made(folded), folded, 3)


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.conv("a", 4).act().conv("b", 8).dropout("d", 0.5).act(),
        lambda x: x.conv("a", 4).max_pool(3, 2, 1),
        lambda x: x.conv("a", 4).group_norm("n", 4),
        lambda x: x.conv("a", 4)[0:2].group_norm("n", 2),
        lambda x: x.conv("a", 4).subsample(2).group_norm("n", 2),
        lambda x: x.conv("a", 4).subsample(2).max_pool(2, 2),
        lambda x: x.conv("a", 4)[1:3].shuffle(2),
        lambda x: x.conv("a", 4)[1:3].norm("n"),
        lambda x: x[0:2].dropout("d", 0.5) * 2.0,
        lambda x: x.builder.add("f", Frame(3), x),
        lambda x: x.builder.add("p", Pool("avg", 3, 2, 1), x),
        lambda x: x.builder.add("p", DilatedPool(2), x),
        lambda x: x.builder.add("p", DilatedPool(3, 2, dilation=3), x),
        lambda x: x.builder.add("p", DilatedPool(2, 4), x),
        lambda x: x.pad(1, 3).shuffle(2).weigh("w", 0.5) * x.pad(4, 0).gate("g"),
        lambda x: add([x, x, x]).conv("a", 4),
        lambda x: add(
            [x.conv("a", 8), x.conv("b", 8), x.conv("c", 8), x.conv("d", 64).conv("e", 8)]
        ),
        lambda x: add([x.conv("a", 8), x.conv("b", 8), (x * x.conv("c", 8)).act("silu")]),
        lambda x: x.cat(x.conv("a", 8), x.act("gelu")).mean().flatten().linear("l", 3),
    ],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_what_operations_hold(write: Callable[[Map], Map], batch: int):
    builder = Builder((8, 12, 12))
    graph = builder.graph("g", [write(builder.input)])
    assert peak_bytes(graph, batch) == seen(made(graph), graph, batch)


@settings(max_examples=200)
@given(st.lists(unit, min_size=1, max_size=4), st.sampled_from([1, 4, 7]), st.integers(0, 30))
def test_random_graphs(units: list[Unit], side: int, tap: int):
    graph = written(units, side, tap)
    assert peak_bytes(graph, 2) == seen(made(graph), graph, 2)


def test_as_by_hand():
    builder = Builder((8, 4, 4))
    with builder.scope("block"):
        x = builder.input.conv("one", 16).norm("norm").act()
        x = x.conv("two", 4) + builder.input.conv("three", 4)
    graph = builder.graph("g", [x])
    side = 4 * 4 * 4
    assert peak_bytes(graph) == (16 + 16) * side
    assert peak_bytes(graph, 5) == 5 * peak_bytes(graph)
