"""The parts of a training step's memory are those of real tensors, to the byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import pytest
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from archgen import build
from archgen.analysis import Optimizer, saved_bytes, training_memory
from archgen.spec import Net
from archgen.train.optim import make_optimiser
from archgen.train.recipe import Recipe

pytestmark = pytest.mark.torch


def size(tensors: Iterable[object]) -> int:
    return sum(tensor.nbytes for tensor in tensors if isinstance(tensor, Tensor))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_parts_after_a_step(family: Net, optimizer: Optimizer):
    model = build(family)
    optimiser = make_optimiser(model, Recipe(optimizer=optimizer))
    average = AveragedModel(model, use_buffers=True)
    result = model(torch.rand(2, *family.input))
    results = result if isinstance(result, tuple) else (result,)
    torch.stack([each.sum() for each in results]).sum().backward()
    optimiser.step()
    average.update_parameters(model)

    memory = training_memory(family, 2, optimizer, ema=True)
    assert memory.parameters == size(model.parameters())
    assert memory.buffers == size(model.buffers())
    assert memory.gradients == size(p.grad for p in model.parameters())
    states = [value for state in optimiser.state.values() for value in state.values()]
    assert memory.optimizer == size(states)
    assert memory.average == size(average.state_dict().values())


def test_what_autograd_saves_is_a_part(families: dict[str, Net]):
    net = families["dsnet"]
    single, half = (training_memory(net, 8, dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert single.activations == saved_bytes(net, 8)
    assert (single.copies, single.average) == (0, 0)
    assert half.activations + half.copies == saved_bytes(net, 8, "bfloat16")
    assert half.total == sum(getattr(half, part.name) for part in fields(half))
