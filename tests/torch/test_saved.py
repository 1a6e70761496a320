"""Saved bytes are what autograd's own hooks see, for each operation and for every spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, autocast, nn
from torch.autograd.graph import saved_tensors_hooks

from archgen import build, files
from archgen.analysis import Precision, saved, saved_bytes
from archgen.codegen import source
from archgen.graph import Graph
from archgen.nn.folding import deploy_form
from archgen.nn.module import compiled, empty
from archgen.ops import ActKind, Shape
from archgen.spec import Net, parse

from .conftest import small

pytestmark = pytest.mark.torch


def seen(run: Callable[[], object], others: Iterable[Tensor]) -> int:
    """Bytes of the storages that autograd saves in a run, those of others left out."""
    left_out = {tensor.untyped_storage().data_ptr() for tensor in others}
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor.detach()  # itself, it would keep its own graph, and that all it saves

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    assert result is not None
    return sum(s.nbytes() for address, s in storages.items() if address not in left_out)


def seen_by(model: nn.Module, shape: Shape, batch: int, dtype: Precision = "float32") -> int:
    images = torch.rand(batch, *shape)

    def run() -> object:
        with autocast("cpu", getattr(torch, dtype), enabled=dtype != "float32"):
            return model(images)

    return seen(run, [*model.parameters(), *model.buffers()])


def folded(net: Net) -> tuple[Graph, nn.Module]:
    """Make a network's deploy form, whose convolutions have biases, to train on."""
    graph = deploy_form(net).graph
    return graph, empty(compiled(source(graph), graph.name))


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec(name: str):
    net = small(name)
    model = build(net, init=False)
    assert saved_bytes(net, 1) == seen_by(model, net.input, 1)
    assert saved_bytes(net, 2) == seen_by(model, net.input, 2)
    assert saved_bytes(net, 2, "bfloat16") == seen_by(model, net.input, 2, "bfloat16")
    graph, model = folded(net)
    assert saved_bytes(graph, 2) == seen_by(model, net.input, 2)


@pytest.mark.parametrize("limit", [16, 1])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_each_family(family: Net, limit: int, dtype: Precision):
    """Dropout, group norms, shuffles, several outputs; strided, and dense with dilated pools."""
    net = family.set({"output_stride": limit})
    assert saved_bytes(net, 2, dtype) == seen_by(build(net), net.input, 2, dtype)
    graph, model = folded(net)
    assert saved_bytes(graph, 3, dtype) == seen_by(model, net.input, 3, dtype)


@pytest.mark.parametrize("kind", [*ActKind.__args__[:-1], "none"])
@pytest.mark.parametrize("block", ["basic", "basic_preact"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_each_activation(kind: str, block: str, dtype: Precision):
    """Behind a norm of its own module (in place, where that saves), and behind a sum."""
    net = parse(
        f"""
        name: tiny
        input: [3, 8, 8]
        nodes:
          stem: {{block: conv_norm, width: 8, act: {kind}}}
          stages: {{block: {block}, depth: [2], width: 8, shortcut: projection, act: {kind}}}
        """
    )
    assert saved_bytes(net, 3, dtype) == seen_by(build(net), net.input, 3, dtype)


def test_copies_of_weights_do_not_grow_with_the_batch(families: dict[str, Net]):
    one, two, four = (saved(families["dsnet"], batch, "bfloat16") for batch in (1, 2, 4))
    assert one.weights == two.weights == four.weights > 0
    assert four.activations - two.activations == 2 * (two.activations - one.activations)
    assert saved(families["dsnet"], 4).weights == 0
