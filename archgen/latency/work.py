"""What decides how long an operation takes on a CPU: the kernel that runs, and its work.

PyTorch takes a convolution to one of a few kernels (``use_mkldnn`` in ATen's
``native/Convolution.cpp``), whose times go with different things. oneDNN's read and write maps in
blocks of 16 channels: channels are rounded up, maps and weights reordered in every call. The rest
are products of matrices; a window that is larger than a pixel is unrolled for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from archgen.ops import Act, Conv, Linear, Op, Pool, Shape

BLOCK = 16
"""Channels that oneDNN computes together: float32 values in a register of AVX-512."""
FEW_CHANNELS = 4
"""Fewer are read as they are, not in blocks: those of images."""
CACHE = 2**18
"""Values that a core's own cache has room for, beside others: a megabyte."""
SMALL_MAP = 20_480
"""Values of a map below which PyTorch leaves a plain convolution of one image to a product."""
SMALL_BATCH = 16
"""Images below which it leaves a 1x1 convolution on one thread to a product."""


_CONVOLUTION = ("call", "macs", "weights", "read", "written", "unrolled", "far")
_LINEAR = ("call", "macs", "weights")
_VIEW = ("call",)
_MAPS = ("call", "operands", "channels", "read", "written", "far")
_TERMS = {
    "linear": _LINEAR,
    **dict.fromkeys(
        ("product", "unrolled", "depthwise", "grouped", "image", "1x1", "blocked"), _CONVOLUTION
    ),
    **dict.fromkeys(("flatten", "slice", "subsample"), _VIEW),
}
MODEL = (_TERMS, _MAPS, BLOCK, FEW_CHANNELS, CACHE, SMALL_MAP, SMALL_BATCH)
"""What terms mean: factors that were fitted under another model say nothing under this one."""


def terms_of(kernel: str) -> tuple[str, ...]:
    """Name the terms of a kernel."""
    return _TERMS.get(kernel, _MAPS)


class Work(NamedTuple):
    """An operation on operands of known shapes.

    Args:
        kernel: What runs.
        terms: What the time goes with, each in a unit of its own, in the order of `terms_of`: one
            for the call itself, then multiply-accumulates as the kernel rounds them, values that
            it reads and writes.
    """

    kernel: str
    terms: tuple[float, ...]


def work(
    op: Op, inputs: Sequence[Shape], out: Shape, *, batch: int, threads: int, in_place: bool
) -> Work:
    """Say what decides the time of an operation.

    Args:
        op: The operation.
        inputs: Shapes of its operands, batch left out.
        out: Shape of its result.
        batch: Images.
        threads: Threads that PyTorch computes with.
        in_place: Whether it overwrites its operand.
    """
    if isinstance(op, Conv):
        return _convolution(op, inputs[0], out, batch, threads)
    read, written = batch * sum(map(prod, inputs)), batch * prod(out)
    if isinstance(op, Linear):
        return Work("linear", (1, op.macs(out) * batch, op.param_count))
    name = type(op).__name__.lower()
    if op.view:
        return Work(name, (1,))
    if isinstance(op, Act | Pool):
        name = f"{op.kind} {name}"
    new = 0 if in_place else written
    return Work(name, (1, len(inputs), batch * out[0], read, new, _far(read + written)))


def _convolution(op: Conv, shape: Shape, out: Shape, batch: int, threads: int) -> Work:
    inp, wide = op.inp // op.groups, op.out // op.groups
    kernel = _kernel(op, shape, batch, threads)
    macs = batch * op.macs(out)
    read, written = batch * prod(shape), batch * prod(out)
    beside = 0
    if kernel in ("blocked", "1x1"):
        macs = _rounded(inp) * _rounded(wide) * (macs // (inp * wide))
    elif kernel == "unrolled":
        beside = batch * prod(out[1:]) * inp * op.kernel**2
    elif kernel == "grouped":
        macs = _rounded(inp, 4) * _rounded(wide, 4) * (macs // (inp * wide))
    far = _far(read + written + beside)
    return Work(kernel, (1, macs, op.param_count, read, written, beside, far))


def _kernel(op: Conv, shape: Shape, batch: int, threads: int) -> str:
    """Name the kernel that PyTorch takes for a float32 convolution on a CPU."""
    plain = op.stride == op.dilation == 1
    if plain and op.kernel == 1 and batch < SMALL_BATCH and threads == 1:
        return "product"
    if op.groups == 1 and op.kernel <= 3 and batch == 1 and prod(shape) <= SMALL_MAP:
        return "unrolled"
    if op.groups == op.inp == op.out > 1:
        return "depthwise"
    if op.groups > 1:
        return "grouped"
    if op.inp < FEW_CHANNELS:
        return "image"
    return "1x1" if op.kernel == 1 else "blocked"


def _far(values: int) -> int:
    """Give how many values find no room in a core's own cache."""
    return max(0, values - CACHE)


def _rounded(channels: int, block: int = BLOCK) -> int:
    return -(-channels // block) * block
