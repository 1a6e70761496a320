"""Exact costs of a graph, counted without PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from archgen.analysis.memory import saved_bytes
from archgen.analysis.paths import carried
from archgen.analysis.peak import peak_bytes
from archgen.analysis.receptive import receptive_field
from archgen.graph import Call, Graph
from archgen.spec import Net

COUNTED = ("params", "buffers", "macs", "activations", "depth")
"""The figures of a `Cost` that hold for any batch, by name."""


@dataclass(frozen=True)
class Cost:
    """What a network costs: exact figures, and more that are counted when asked for.

    Args:
        name: The network's name.
        params: Learned scalars (running statistics are not).
        buffers: Running means and variances, in scalars.
        macs: Multiply-accumulates of convolutions and linear layers for one image; biases,
            norms, activations and pools are not counted (half of what PyTorch's
            ``FlopCounterMode`` gives).
        activations: Scalars that convolutions and linear layers give for one image.
        depth: Convolutions and linear layers on the longest path from input to output; what
            only makes a gate is not on a path, as the field counts SE networks.
        batch: Images in a batch, for what is in bytes.
        graph: What was counted.
    """

    name: str
    params: int
    buffers: int
    macs: int
    activations: int
    depth: int
    batch: int
    graph: Graph = field(repr=False, compare=False)

    @cached_property
    def saved_bytes(self) -> int:
        """Bytes that a training step keeps for its backward pass, in float32."""
        return saved_bytes(self.graph, self.batch)

    @cached_property
    def peak_bytes(self) -> int:
        """Most bytes of activations that inference holds at once, in float32."""
        return peak_bytes(self.graph, self.batch)

    @cached_property
    def receptive_field(self) -> int | None:
        """Side of the receptive field of the last map before the head, in input pixels.

        None where it has no one size.
        """
        return receptive_field(self.graph)


def cost(net: Net | Graph, batch: int = 1) -> Cost:
    """Count parameters, MACs, activations and depth of a network.

    Args:
        net: A spec or a graph.
        batch: Images in a batch, for what is in bytes.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    params, buffers, macs, activations = _sums(graph.calls)
    above = depths(graph)
    depth = max(above[end] for end in graph.outputs)
    return Cost(graph.name, params, buffers, macs, activations, depth, batch, graph)


def _sums(calls: Iterable[Call]) -> tuple[int, int, int, int]:
    params = buffers = macs = activations = 0
    for _, op, _, shape in calls:
        params += op.param_count
        buffers += op.buffer_count
        if op.weighted:
            macs += op.macs(shape)
            activations += prod(shape)
    return params, buffers, macs, activations


def depths(graph: Graph) -> list[int]:
    """Give for each call the convolutions and linear layers on the longest path to its result."""
    found: list[int] = []
    for _, op, inputs, _ in graph.calls:
        if len(inputs) > 1:
            above = max([found[source] for source in carried(op, inputs)])
        else:
            above = found[inputs[0]] if inputs else 0
        found.append(above + op.weighted)
    return found
