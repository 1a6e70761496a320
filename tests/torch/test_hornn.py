"""A dense block that reads each source with one set of weights is a residual block.

Dual Path Networks (Chen et al. 2017, arXiv:1707.01629), section 3: with h^0 the input,
h^(k+1) = G^k(s^k) and s^k = sum over t <= k of W_t^k h^t; where W_t^k = W_t for all k,
s^(k+1) = s^k + W_(k+1) G^k(s^k).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import archgen
from archgen.spec import Net

pytestmark = pytest.mark.torch

Make = Callable[..., Net]
SIZES = [(2, 4, 8, 4), (3, 1, 5, 7), (6, 3, 12, 2)]
"""Readers, channels of h^0, channels of s, channels of each further h."""


@pytest.fixture(params=SIZES, ids=str)
def sizes(request: pytest.FixtureRequest) -> tuple[int, int, int, int]:
    return request.param


@pytest.fixture
def dense(net: Make, sizes: tuple[int, int, int, int]) -> nn.Module:
    """A dense block in double precision, every W_t^k drawn by itself, every norm moved."""
    readers, inp, width, grow = sizes
    join = f"{{join: concat, grow: {grow}}}"
    block = f"stage: {{block: basic, depth: {readers}, width: {width}, shortcut: {join}}}"
    return drawn(archgen.build(net(block, image=(inp, 6, 7))).double())


@pytest.fixture
def residual(net: Make, sizes: tuple[int, int, int, int]) -> nn.Module:
    """A residual block of one unit less, behind the convolution that gives s^0."""
    readers, inp, width, grow = sizes
    unit = f"block: basic_preact, width: {grow}, out: {width}, shortcut: projection"
    nodes = (
        f"enter: {{block: conv, width: {width}}}",
        f"stage: {{{unit}, depth: {readers - 1}}}",
    )
    return drawn(archgen.build(net(*nodes, image=(inp, 6, 7))).double())


@torch.no_grad()
def drawn(model: nn.Module) -> nn.Module:
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.2, 1.2) if tensor.dim() == 1 else tensor.normal_()
    return model


def kernels(unit: nn.Module, sizes: tuple[int, int, int, int]) -> tuple[Tensor, ...]:
    """W_t^k of one reader: what its first convolution does to each h^t."""
    _, inp, _, grow = sizes
    weight = unit.conv1.weight
    return torch.split(weight, [inp, *[grow] * ((weight.shape[1] - inp) // grow)], dim=1)


@torch.no_grad()
def share(dense: nn.Module) -> None:
    """Let all readers read each source as the last one does: W_t^k = W_t."""
    last = dense.stage[-1].conv1.weight
    for unit in dense.stage:
        unit.conv1.weight.copy_(last[:, : unit.conv1.in_channels])


@torch.no_grad()
def carry_over(dense: nn.Module, residual: nn.Module, sizes: tuple[int, int, int, int]) -> None:
    """Give the residual block the last reader's W_t, and each G^k."""
    first, *later = kernels(dense.stage[-1], sizes)
    residual.enter.conv.weight.copy_(first)
    for unit, source, kernel in zip(residual.stage, dense.stage, later, strict=False):
        unit.norm1.load_state_dict(source.norm1.state_dict())
        unit.conv1.load_state_dict(source.conv2.state_dict())
        unit.norm2.load_state_dict(source.norm2.state_dict())
        unit.conv2.weight.copy_(kernel)


def given(modules: list[nn.Module], run: Callable[[], object]) -> list[Tensor]:
    """Run something, and see what some modules give in it."""
    seen: list[Tensor] = []
    hooks = [m.register_forward_hook(lambda _m, _i, out: seen.append(out)) for m in modules]
    run()
    for hook in hooks:
        hook.remove()
    return seen


def sums(dense: nn.Module, residual: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """s^0, s^1, ... as the dense block's readers see them, and on the residual path."""
    readers = given([unit.conv1 for unit in dense.stage], lambda: dense(x))
    path = given([residual.enter, *residual.stage], lambda: residual(x))
    return readers, path


@torch.no_grad()
def apart(pair: tuple[Tensor, Tensor]) -> float:
    """Largest difference, relative to the largest value."""
    return float((pair[0] - pair[1]).abs().max() / pair[1].abs().max())


@pytest.fixture
def x(sizes: tuple[int, int, int, int]) -> Tensor:
    return torch.randn(3, sizes[1], 6, 7, dtype=torch.float64)


@pytest.mark.parametrize("training", [True, False])
def test_with_shared_weights_they_are_one_at_every_step(dense, residual, sizes, x, training: bool):
    share(dense)
    carry_over(dense, residual, sizes)
    readers, path = sums(dense.train(training), residual.train(training), x)
    assert len(readers) == len(path) == sizes[0]
    assert max(map(apart, zip(readers, path, strict=True))) < 1e-12


def test_what_the_dense_block_adds_is_what_the_residual_branch_reads(dense, residual, sizes, x):
    share(dense)
    carry_over(dense, residual, sizes)
    grow = sizes[3]
    new = [y[:, -grow:] for y in given(list(dense.stage), lambda: dense(x))]
    read: list[Tensor] = []
    for unit in residual.stage:
        unit.conv2.register_forward_pre_hook(lambda _m, inputs: read.append(inputs[0]))
    residual(x)
    assert max(map(apart, zip(new, read, strict=False))) < 1e-12


def test_one_reader_with_weights_of_its_own_departs_and_all_after_it(dense, residual, sizes, x):
    share(dense)
    carry_over(dense, residual, sizes)
    own = sizes[0] // 2
    with torch.no_grad():
        kernels(dense.stage[own], sizes)[0].mul_(1.5)
    readers, path = sums(dense, residual, x)
    distances = list(map(apart, zip(readers, path, strict=True)))
    assert max(distances[:own]) < 1e-12
    assert min(distances[own:]) > 1e-3


def test_without_sharing_they_are_not_equal(dense, residual, sizes, x):
    carry_over(dense, residual, sizes)
    readers, path = sums(dense, residual, x)
    assert min(map(apart, zip(readers[:-1], path, strict=False))) > 1e-3


def test_a_shared_weights_gradient_is_the_sum_over_its_readers(dense, residual, sizes, x):
    share(dense)
    carry_over(dense, residual, sizes)
    readers, path = sums(dense, residual, x)
    outward = torch.randn_like(path[-1])
    (readers[-1] * outward).sum().backward()
    (path[-1] * outward).sum().backward()
    wanted = [residual.enter.conv.weight.grad, *[unit.conv2.weight.grad for unit in residual.stage]]
    for unit in dense.stage:
        unit.conv1.weight.data = unit.conv1.weight.grad
    per_reader = [kernels(unit, sizes) for unit in dense.stage]
    for source, grad in enumerate(wanted):
        total = sum(read[source] for read in per_reader if source < len(read))
        assert apart((total, grad)) < 1e-10


def test_with_one_step_for_all_it_is_a_recurrent_network(dense, residual, sizes, x):
    """G^k = G and W_k = W for k > 0: one unit, run again and again."""
    unit = residual.stage[0].eval()
    carry_over(dense, residual, sizes)
    with torch.no_grad():
        for each in dense.stage:
            first, *later = kernels(each, sizes)
            first.copy_(residual.enter.conv.weight)
            for kernel in later:
                kernel.copy_(unit.conv2.weight)
            each.norm1.load_state_dict(unit.norm1.state_dict())
            each.conv2.load_state_dict(unit.conv1.state_dict())
            each.norm2.load_state_dict(unit.norm2.state_dict())
    state = residual.enter(x)
    for reader in given([each.conv1 for each in dense.stage], lambda: dense.eval()(x)):
        assert apart((reader, state)) < 1e-12
        state = unit(state)
