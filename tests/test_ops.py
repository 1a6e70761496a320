"""Each operation's numbers and laws; tests/torch/test_ops.py compares them with PyTorch."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import ops
from archgen.ops import (
    Add,
    Cat,
    Conv,
    DilatedPool,
    Dropout,
    Frame,
    GroupNorm,
    Law,
    Linear,
    Mean,
    Mul,
    Norm,
    Op,
    Pad,
    Pool,
    Shuffle,
    Slice,
    Subsample,
    Weigh,
)

COUNTS = st.integers(1, 9)


@given(COUNTS, COUNTS, COUNTS, st.booleans())
def test_param_count_is_the_sum_of_the_shapes(a: int, b: int, groups: int, flag: bool):
    for op in (
        Conv(a * groups, b * groups, 3, groups=groups, bias=flag),
        Linear(a, b, flag),
        Norm(a, affine=flag),
        GroupNorm(a * groups, groups, affine=flag),
        Weigh(a),
        Dropout(0.5),
    ):
        assert op.param_count == sum(prod(param.shape) for param in op.params())


def test_only_weights_of_products_have_several_dimensions():
    """The training loop spares what has one dimension from weight decay."""
    owners = [Conv(4, 4, bias=True), Linear(4, 4), Norm(4), GroupNorm(4, 2), Weigh(4)]
    decayed = [
        f"{type(op).__name__}.{param.suffix}"
        for op in owners
        for param in op.params()
        if len(param.shape) > 1
    ]
    assert decayed == ["Conv.weight", "Linear.weight"]


def test_running_statistics_are_no_parameters():
    assert (Norm(7).param_count, Norm(7).buffer_count) == (14, 14)
    assert (Norm(7, affine=False).param_count, Norm(7, affine=False).buffer_count) == (0, 14)
    assert GroupNorm(8, 2).buffer_count == 0


def test_macs_of_known_layers():
    conv1 = Conv(3, 64, 7, 2, 3)  # the first layer of every ImageNet ResNet
    assert conv1.shape((3, 224, 224)) == (64, 112, 112)
    assert conv1.macs((64, 112, 112)) == 118_013_952
    assert Conv(128, 128, 3, 1, 1, groups=32).macs((128, 56, 56)) == 14_450_688
    assert Linear(2048, 1000).macs((1000,)) == 2_048_000
    assert Norm(8).macs((8, 4, 4)) == Add().macs((8, 4, 4)) == 0


@pytest.mark.parametrize(
    ("op", "inputs", "message"),
    [
        (Conv(6, 8, groups=4), [(6, 4, 4)], "6 -> 8 channels cannot be split into 4 groups"),
        (Conv(8, 6, groups=4), [(8, 4, 4)], "8 -> 6 channels cannot be split into 4 groups"),
        (Conv(8, 8, 5), [(8, 4, 4)], "a 4x4 map is too small for a 5x5 window with stride 1"),
        (Conv(8, 8, 3, dilation=4), [(8, 8, 9)], "8x9 map is too small .* window dilated by 4"),
        (Conv(8, 8), [(8,)], "needs a map .* not the vector 8"),
        (Norm(8), [(8,)], "needs a map"),
        (Mean(), [(8,)], "needs a map"),
        (GroupNorm(8, 3), [(8, 4, 4)], "8 channels cannot be normalised in 3 groups"),
        (GroupNorm(8, 8), [(8, 1, 1)], "8x1x1 in 8 groups is one value each"),
        (Linear(8, 4), [(9,)], "needs a vector of 8, not 9"),
        (Linear(8, 4), [(8, 1, 1)], "needs a vector of 8, not 8x1x1"),
        (Pool("max", 2, 2, padding=2), [(8, 4, 4)], "at most 1 of padding .* not 2"),
        (Pool("avg", 3, 3), [(8, 2, 2)], "2x2 map is too small"),
        (Add(), [(8, 4, 4), (8, 4, 4), (8, 2, 2)], "8x4x4 and 8x4x4 and 8x2x2 cannot be added"),
        (Mul(), [(8, 4, 4), (4, 1, 1)], "8x4x4 cannot be gated by 4x1x1"),
        (Cat(), [(8, 4, 4), (8, 4, 5)], "8x4x4 and 8x4x5 differ in height or width"),
        (Slice(4, 4), [(8, 4, 4)], "channels 4 to 4 are not among 8"),
        (Slice(0, 9), [(8, 4, 4)], "channels 0 to 9 are not among 8"),
        (Slice(8, None), [(8, 4, 4)], "channels 8 to 8 are not among 8"),
        (Shuffle(3), [(8, 4, 4)], "8 channels cannot be shuffled in 3 groups"),
    ],
)
def test_laws_name_the_values(op: Op, inputs: list[ops.Shape], message: str):
    with pytest.raises(Law, match=message):
        op.shape(*inputs)


def test_shapes_of_weightless_operations():
    assert Pad(1, 2).shape((3, 4, 5)) == (6, 4, 5)
    assert Subsample(2).shape((3, 7, 8)) == (3, 4, 4)
    assert DilatedPool(2, 2, dilation=9).shape((3, 7, 8)) == (3, 4, 4)
    assert Frame(2).shape((3, 7, 8)) == (3, 11, 12)
    assert Cat().shape((3, 4, 5), (2, 4, 5), (1, 4, 5)) == (6, 4, 5)
    assert Slice(2, None).shape((5, 4, 4)) == (3, 4, 4)
    assert Mean().shape((5, 3, 4)) == (5, 1, 1)
    assert Mul().shape((5, 3, 4), (5, 1, 1)) == (5, 3, 4)
    assert Pool("avg", 2, 2, ceil=True).shape((5, 7, 7)) == (5, 4, 4)
    # The last window must begin inside the map or its left padding.
    assert Pool("max", 2, 3, ceil=True).shape((5, 3, 4)) == (5, 1, 2)


def test_every_operation_is_in_the_table_and_frozen():
    kinds = [each for each in vars(ops).values() if isinstance(each, type) and issubclass(each, Op)]
    table = {
        line.split()[0] for line in ops.__doc__.splitlines() if line[:1].isupper() and "  " in line
    }
    assert table == {kind.__name__ for kind in kinds if kind is not Op}
    with pytest.raises(AttributeError):
        Norm(8).channels = 9  # type: ignore[misc]
    assert len({Conv(1, 2), Conv(1, 2), Conv(1, 3)}) == 2
