"""Bytes that a training step keeps for its backward pass, counted without PyTorch."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from archgen.errors import ArchError, unknown
from archgen.graph import Graph
from archgen.inplace import homes
from archgen.ops import FLOAT
from archgen.precision import Precision
from archgen.spec import Net

VALUE: dict[Precision, int] = {"float32": FLOAT, "bfloat16": 2, "float16": 2}
"""Bytes of a value in each precision."""


class Saved(NamedTuple):
    """What autograd saves in one forward pass, in bytes.

    Args:
        activations: Maps, statistics, indices and masks; they grow with the batch.
        weights: Copies of weights in the lower precision, which do not; without autocast none.
    """

    activations: int
    weights: int


def saved_bytes(net: Net | Graph, batch: int = 1, dtype: Precision = "float32") -> int:
    """Count the bytes that autograd saves in one forward pass, as `saved` does, in one sum."""
    return sum(saved(net, batch, dtype))


def saved(net: Net | Graph, batch: int = 1, dtype: Precision = "float32") -> Saved:
    """Count the bytes that autograd saves in one forward pass in training mode.

    These are the bytes that ``torch.autograd.graph.saved_tensors_hooks`` sees on a CPU: every
    storage once, parameters and buffers left out. The images count where a layer saves them
    (the first convolution does), the loss does not. Storages are whole: who saves a range of
    channels keeps all of the map that it was cut from.

    Args:
        net: A spec or a graph.
        batch: Images in a step.
        dtype: The precision of ``torch.autocast``; in float32 there is none.

    Raises:
        ArchError: The spec cannot be lowered, there is no such precision, or no image.
    """
    each = saved_each(net, batch, dtype)
    return Saved(sum(one.activations for one in each), sum(one.weights for one in each))


def saved_each(net: Net | Graph, batch: int = 1, dtype: Precision = "float32") -> list[Saved]:
    """Count the same for each call of the graph; a storage counts where it is made.

    Raises:
        ArchError: As `saved` does.
    """
    if dtype not in VALUE:
        raise ArchError("", unknown("precision", dtype, VALUE))
    if batch < 1:
        raise ArchError("batch", f"at least 1 image, not {batch}")
    graph = net if isinstance(net, Graph) else net.graph()
    low = VALUE[dtype]
    home = homes(graph, training=True)
    needs: list[bool] = []  # whether a result needs a gradient
    values: list[int] = []  # bytes of a result's value
    kept: set[int] = set()
    besides, weights = [0] * len(graph.calls), [0] * len(graph.calls)
    for index, (_, op, inputs, shape) in enumerate(graph.calls):
        operands_need = [needs[source] for source in inputs]
        needs.append(any(operands_need) or op.param_count > 0)
        if inputs and low < FLOAT:
            values.append(op.value([values[source] for source in inputs], low))
        else:
            values.append(FLOAT)
        if not needs[index]:
            continue
        in_place = home[index] != index and not op.view
        if op.saves_output or in_place:
            kept.add(home[index])
        if op.weighted and low < FLOAT:
            weights[index] = low * prod(op.params()[0].shape)
        for place in op.saves(operands_need):
            source = inputs[place]
            if op.weighted and values[source] > low:  # a copy of its own, in the lower precision
                besides[index] += low * batch * prod(graph.calls[source].shape)
            else:
                kept.add(home[source])
        besides[index] += op.saves_besides(shape, batch, values[inputs[0]])
    for index in kept:
        besides[index] += batch * values[index] * prod(graph.calls[index].shape)
    return [*map(Saved, besides, weights)]
