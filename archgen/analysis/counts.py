"""Exact costs of a graph, counted without PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from archgen.graph import Call, Graph
from archgen.ops import Mul
from archgen.spec import Net


@dataclass(frozen=True)
class Cost:
    """What one image costs.

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
    """

    name: str
    params: int
    buffers: int
    macs: int
    activations: int
    depth: int


def cost(net: Net | Graph) -> Cost:
    """Count parameters, MACs, activations and depth of a network.

    Args:
        net: A spec or a graph.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    params, buffers, macs, activations = _sums(graph.calls)
    return Cost(graph.name, params, buffers, macs, activations, _depth(graph))


def _sums(calls: Iterable[Call]) -> tuple[int, int, int, int]:
    params = buffers = macs = activations = 0
    for call in calls:
        op = call.op
        params += op.param_count
        buffers += op.buffer_count
        if op.weighted:
            macs += op.macs(call.shape)
            activations += prod(call.shape)
    return params, buffers, macs, activations


def _depth(graph: Graph) -> int:
    depths: list[int] = []
    for call in graph.calls:
        sources = call.inputs[:1] if isinstance(call.op, Mul) else call.inputs
        above = max([depths[source] for source in sources], default=0)
        depths.append(above + call.op.weighted)
    return max(depths[end] for end in graph.outputs)


def part(graph: Graph, path: str) -> tuple[int, int, int, int]:
    """Count (params, buffers, macs, activations) of the calls at or below a module path."""
    inside = f"{path}."
    return _sums(c for c in graph.calls if c.name == path or c.name.startswith(inside))
