"""Shapes, parameters and MACs of every operation are what PyTorch makes of its source text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

from archgen import ops
from archgen.ops import Conv, Law, Linear, Op, Pool, Shape

pytestmark = pytest.mark.torch

SIZES = st.integers(1, 12)
CASES: list[tuple[Op, list[Shape]]] = [
    (Conv(4, 6, 3, 2, 1, groups=2), [(4, 9, 8)]),
    (Conv(3, 5, 1, bias=True), [(3, 5, 5)]),
    (Conv(8, 8, 3, padding=2, dilation=2, groups=8), [(8, 7, 7)]),
    (Linear(5, 3), [(5,)]),
    (Linear(5, 3, bias=False), [(5,)]),
    (ops.Norm(4, 1e-3, 0.2), [(4, 3, 3)]),
    (ops.Norm(4, affine=False), [(4, 3, 3)]),
    (ops.GroupNorm(6, 3, 1e-3), [(6, 3, 3)]),
    (ops.GroupNorm(6, 3, affine=False), [(6, 3, 3)]),
    *[(ops.Act(kind), [(2, 3, 3)]) for kind in ops.ActKind.__args__],
    (Pool("max", 3, 2, 1), [(2, 8, 9)]),
    (Pool("max", 5, 1, 2, dilation=2), [(2, 8, 9)]),
    (Pool("avg", 2, 2, ceil=True), [(2, 7, 8)]),
    (Pool("avg", 3, 2, 1), [(2, 7, 8)]),
    (ops.Frame(4), [(2, 7, 8)]),
    (ops.DilatedPool(2), [(2, 7, 8)]),
    (ops.DilatedPool(3, 2, dilation=3), [(2, 7, 8)]),
    (ops.Mean(), [(3, 4, 5)]),
    (ops.Flatten(), [(3, 1, 1)]),
    (ops.Dropout(0.5), [(3, 4, 4)]),
    (ops.Add(), [(3, 4, 4)] * 3),
    (ops.Mul(), [(3, 4, 4), (3, 1, 1)]),
    (ops.Mul(), [(3, 4, 4), (3, 4, 4)]),
    (ops.Times(2.0), [(3, 4, 4)]),
    (ops.Weigh(3, 0.5), [(3, 4, 4)]),
    (ops.Cat(), [(3, 4, 4), (2, 4, 4)]),
    (ops.Slice(1, 3), [(4, 2, 2)]),
    (ops.Slice(0, 3), [(4, 2, 2)]),
    (ops.Slice(2, None), [(4, 2, 2)]),
    (ops.Shuffle(2), [(4, 2, 2)]),
    (ops.Pad(1, 2), [(3, 4, 4)]),
    (ops.Subsample(2), [(3, 5, 4)]),
]


def text(parts: ops.Text) -> str:
    """Write a text with its numbers, those that are PyTorch's defaults left out."""
    return "".join(
        part
        if isinstance(part, str)
        else f"{part.keyword}{part.value!r}" * (part.default is None or part.value != part.default)
        for part in parts
    )


def run(
    op: Op,
    inputs: list[Shape],
    needs: Sequence[bool] = (),
    dtypes: Sequence[torch.dtype] = (torch.float32,) * 3,
) -> tuple[torch.Tensor, nn.Module, list[torch.Tensor]]:
    """Run an operation's own source text on random inputs; give result, owner and inputs."""
    owner = nn.Module()
    names = {"nn": nn, "F": F, "torch": torch, "self": owner}
    if (module := op.module()) is not None:
        owner.it = eval(text(module), names)
    args = [torch.rand(2, *shape, dtype=dtypes[i]) for i, shape in enumerate(inputs)]
    for arg, need in zip(args, needs, strict=False):
        arg.requires_grad_(need)
    names.update((f"x{i}", arg) for i, arg in enumerate(args))
    return eval(text(op.expr([f"x{i}" for i in range(len(args))], "it")), names), owner, args


def test_the_cases_cover_the_closed_set():
    every = {kind for kind in vars(ops).values() if isinstance(kind, type) and issubclass(kind, Op)}
    assert {type(op) for op, _ in CASES} == every - {Op, ops.Input}


@pytest.mark.parametrize(("op", "inputs"), CASES, ids=lambda case: str(case)[:50])
def test_source_text_does_what_the_operation_says(op: Op, inputs: list[Shape]):
    result, owner, _ = run(op, inputs)
    shape = op.shape(*inputs)
    assert tuple(result.shape) == (2, *shape)

    wanted = {f"it.{p.suffix}" if p.suffix else "it": p.shape for p in op.params()}
    assert {name: tuple(p.shape) for name, p in owner.named_parameters()} == wanted
    assert op.param_count == sum(p.numel() for p in owner.parameters())
    running = [b for name, b in owner.named_buffers() if not name.endswith("batches_tracked")]
    assert op.buffer_count == sum(b.numel() for b in running)

    with FlopCounterMode(display=False) as counter:
        run(op, inputs)
    assert counter.get_total_flops() == 2 * 2 * op.macs(shape)
    assert op.weighted == bool(op.macs(shape))


@pytest.mark.parametrize(("op", "inputs"), CASES, ids=lambda case: str(case)[:50])
def test_autograd_saves_what_the_operation_says(op: Op, inputs: list[Shape]):
    """In bytes, whichever of the operands need gradients."""
    shape = op.shape(*inputs)
    for needs in product([False, True], repeat=len(inputs)):
        storages: dict[int, torch.UntypedStorage] = {}

        def pack(tensor: torch.Tensor, kept: dict[int, torch.UntypedStorage] = storages):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
            return tensor.detach()

        with saved_tensors_hooks(pack, lambda tensor: tensor):
            result, owner, args = run(op, inputs, needs)
        for own in (*owner.parameters(), *owner.buffers()):
            storages.pop(own.untyped_storage().data_ptr(), None)
        said = 0
        if any(needs) or op.param_count:
            values = [prod(inputs[i]) for i in op.saves(needs)] + [prod(shape)] * op.saves_output
            said = ops.FLOAT * 2 * sum(values) + op.saves_besides(shape, 2)
        assert sum(storage.nbytes() for storage in storages.values()) == said
        at = result.untyped_storage().data_ptr()
        assert op.view == (at in [arg.untyped_storage().data_ptr() for arg in args])


@pytest.mark.parametrize(("op", "inputs"), CASES, ids=lambda case: str(case)[:50])
def test_values_are_as_wide_as_the_operation_says_under_autocast(op: Op, inputs: list[Shape]):
    """Whichever of the operands come in the lower precision."""
    for dtypes in product([torch.float32, torch.bfloat16], repeat=len(inputs)):
        with torch.autocast("cpu", torch.bfloat16):
            result, *_ = run(op, inputs, dtypes=dtypes)
        assert result.itemsize == op.value([dtype.itemsize for dtype in dtypes], 2)


@given(
    sides=st.tuples(SIZES, SIZES),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 4),
)
def test_a_dilated_pool_is_a_convolution_with_zeros_past_the_edge(
    sides: tuple[int, int], kernel: int, stride: int, dilation: int
):
    """One of 2 * kernel - 1 taps, with equal weights from its centre on: what folding relies on."""
    x = torch.randn(2, 1, *sides, dtype=torch.float64)
    weight = torch.zeros(1, 1, 2 * kernel - 1, 2 * kernel - 1, dtype=x.dtype)
    weight[..., kernel - 1 :, kernel - 1 :] = 1 / kernel**2
    wanted = F.conv2d(x, weight, None, stride, dilation * (kernel - 1), dilation)
    op = ops.DilatedPool(kernel, stride, dilation)
    torch.testing.assert_close(eval(text(op.expr(["x"], "")), {"F": F, "x": x}), wanted)


@given(
    sides=st.tuples(SIZES, SIZES),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
)
@settings(max_examples=400)
def test_convolution_fails_exactly_where_torch_does(
    sides: tuple[int, int], kernel: int, stride: int, padding: int, dilation: int
):
    op = Conv(1, 2, kernel, stride, padding, dilation)
    assert shape_or_none(op, (1, *sides)) == torch_shape_or_none(op, (1, *sides))


@given(
    kind=st.sampled_from(["max", "avg"]),
    sides=st.tuples(SIZES, SIZES),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 6),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    ceil=st.booleans(),
)
@settings(max_examples=600)
def test_pooling_fails_exactly_where_torch_does(
    kind, sides: tuple[int, int], kernel: int, stride: int, padding: int, dilation: int, ceil: bool
):
    op = Pool(kind, kernel, stride, padding, dilation if kind == "max" else 1, ceil)
    assert shape_or_none(op, (1, *sides)) == torch_shape_or_none(op, (1, *sides))


@given(inp=st.integers(1, 8), out=st.integers(1, 8), groups=st.integers(1, 5))
def test_groups_are_refused_exactly_where_torch_does(inp: int, out: int, groups: int):
    op = Conv(inp, out, 1, groups=groups)
    assert shape_or_none(op, (inp, 2, 2)) == torch_shape_or_none(op, (inp, 2, 2))


def shape_or_none(op: Op, shape: Shape) -> Shape | None:
    try:
        return op.shape(shape)
    except Law:
        return None


def torch_shape_or_none(op: Op, shape: Shape) -> Shape | None:
    try:
        result, *_ = run(op, [shape])
    except (RuntimeError, ValueError):
        return None
    return tuple(result.shape[1:]) if prod(result.shape) else None
