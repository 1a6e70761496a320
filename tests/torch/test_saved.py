"""Saved bytes are what autograd's own hooks see, for each operation and for every spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from archgen import build, files
from archgen.analysis import saved_bytes
from archgen.ops import ActKind
from archgen.spec import Net, parse

from .conftest import small

pytestmark = pytest.mark.torch


def seen(run: Callable[[], object], others: Iterable[Tensor]) -> int:
    """Bytes of the storages that autograd saves in a run, those of others left out."""
    left_out = {tensor.untyped_storage().data_ptr() for tensor in others}
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    assert result is not None
    return sum(s.nbytes() for address, s in storages.items() if address not in left_out)


def seen_by(model: nn.Module, net: Net, batch: int) -> int:
    images = torch.rand(batch, *net.input)
    return seen(lambda: model(images), [*model.parameters(), *model.buffers()])


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec(name: str):
    net = small(name)
    model = build(net, init=False)
    assert saved_bytes(net, 1) == seen_by(model, net, 1)
    assert saved_bytes(net, 2) == seen_by(model, net, 2)


@pytest.mark.parametrize("limit", [16, 1])
def test_each_family(family: Net, limit: int):
    """Dropout, group norms, shuffles, several outputs; strided, and dense with dilated pools."""
    net = family.set({"output_stride": limit})
    assert saved_bytes(net, 2) == seen_by(build(net), net, 2)


@pytest.mark.parametrize("kind", [*ActKind.__args__[:-1], "none"])
@pytest.mark.parametrize("block", ["basic", "basic_preact"])
def test_each_activation(kind: str, block: str):
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
    assert saved_bytes(net, 3) == seen_by(build(net), net, 3)
