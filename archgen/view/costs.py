"""What networks cost, as rows."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.analysis import (
    Optimizer,
    Precision,
    TrainingMemory,
    cost,
    parallelism,
    training_memory,
)
from archgen.ops import Shape
from archgen.spec import Net


@dataclass(frozen=True)
class CostRow:
    """What a network costs.

    Args:
        name: Its name.
        input: Channels, height and width.
        batch: Images in a batch, for what is in bytes.
        optimizer: What trains it.
        dtype: The precision that it is trained in.
        params: Learned scalars.
        buffers: Running means and variances, in scalars.
        macs: Multiply-accumulates for one image.
        critical_macs: Those on the path that has most of them.
        activations: Scalars that convolutions and linear layers give for one image.
        depth: Convolutions and linear layers on the longest path.
        parallel: Most layers of one depth: they could run side by side.
        receptive_field: Side of what a pixel of the last map sees, in input pixels; None where
            it has no one size.
        saved_bytes: What autograd saves for the backward pass.
        peak_bytes: Most activations that inference holds at once, in float32.
        training_bytes: What training holds, all in all.
        training: Its parts, in bytes.
    """

    name: str
    input: Shape
    batch: int
    optimizer: Optimizer
    dtype: Precision
    params: int
    buffers: int
    macs: int
    critical_macs: int
    activations: int
    depth: int
    parallel: int
    receptive_field: int | None
    saved_bytes: int
    peak_bytes: int
    training_bytes: int
    training: TrainingMemory


def cost_row(
    net: Net,
    batch: int = 1,
    optimizer: Optimizer = "sgd",
    *,
    ema: bool = False,
    dtype: Precision = "float32",
) -> CostRow:
    """Count all that a network costs; the arguments are those of `training_memory`.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    counts = cost(net, batch)
    side_by_side = parallelism(net)
    training = training_memory(net, batch, optimizer, ema=ema, dtype=dtype)
    return CostRow(
        name=net.name,
        input=net.input,
        batch=batch,
        optimizer=optimizer,
        dtype=dtype,
        params=counts.params,
        buffers=counts.buffers,
        macs=counts.macs,
        critical_macs=side_by_side.critical_macs,
        activations=counts.activations,
        depth=counts.depth,
        parallel=max(map(len, side_by_side.generations), default=0),
        receptive_field=counts.receptive_field,
        saved_bytes=training.activations + training.copies,
        peak_bytes=counts.peak_bytes,
        training_bytes=training.total,
        training=training,
    )
