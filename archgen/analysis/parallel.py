"""What of a network could run side by side, and what waits for the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.analysis.paths import carried
from archgen.graph import Graph
from archgen.spec import Net


@dataclass(frozen=True)
class Parallelism:
    """How much of a network waits for the rest of it.

    Args:
        generations: Names of the convolutions and linear layers, by how many of them stand above
            on the longest path: those of a generation can run together, and there are as many
            generations as the network is deep. What only makes a gate is left out, as it is of
            the depth.
        macs: Multiply-accumulates for one image, those of gates included.
        critical_macs: Those on the path from input to output that has most of them.
    """

    generations: tuple[tuple[str, ...], ...]
    macs: int
    critical_macs: int

    @property
    def gain(self) -> float:
        """How many times faster streams that cost nothing could be, if time goes with MACs."""
        return self.macs / self.critical_macs if self.macs else 1.0


def parallelism(net: Net | Graph) -> Parallelism:
    """Say which layers of a network could run together, and what that could gain.

    Args:
        net: A spec or a graph.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    on_path = _on_paths(graph)
    generations: list[list[str]] = []
    depths: list[int] = []
    heaviest: list[int] = []  # MACs on the heaviest path down to each call
    for index, call in enumerate(graph.calls):
        depth = max([depths[source] for source in carried(call.op, call.inputs)], default=0)
        if call.op.weighted and index in on_path:
            if depth == len(generations):
                generations.append([])
            generations[depth].append(call.name)
        depths.append(depth + call.op.weighted)
        above = max([heaviest[source] for source in call.inputs], default=0)
        heaviest.append(above + call.op.macs(call.shape))
    return Parallelism(
        tuple(map(tuple, generations)),
        sum(call.op.macs(call.shape) for call in graph.calls),
        max(heaviest[end] for end in graph.outputs),
    )


def concurrency(net: Net | Graph) -> int:
    """Count the most convolutions and linear layers that could run at one time.

    None of them needs another's result; they need not be of one generation. What only makes a
    gate is left out. By Dilworth's theorem they are as many as the chains that it takes to cover
    all layers; in a smallest cover, each pair of a largest matching, of layers with layers that
    need them, spares a chain.

    Args:
        net: A spec or a graph.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    import networkx as nx

    needed = _needed(net if isinstance(net, Graph) else net.graph())
    layers = range(len(needed))
    pairs: nx.Graph[int] = nx.Graph()
    pairs.add_nodes_from(layers)
    for layer, bits in enumerate(needed):
        # The node ~i is layer i as the one that needs another.
        pairs.add_edges_from((above, ~layer) for above in range(layer) if bits >> above & 1)
    return len(layers) - len(nx.bipartite.hopcroft_karp_matching(pairs, layers)) // 2


def _needed(graph: Graph) -> list[int]:
    """Give for each layer, in order, the set of layers that it needs, as the bits of a number."""
    on_path = _on_paths(graph)
    found: list[int] = []
    above: list[int] = []  # for each call, itself included where it is a layer
    for index, call in enumerate(graph.calls):
        bits = 0
        for source in call.inputs:
            bits |= above[source]
        if call.op.weighted and index in on_path:
            found.append(bits)
            bits |= 1 << (len(found) - 1)
        above.append(bits)
    return found


def _on_paths(graph: Graph) -> set[int]:
    """Give the calls that are on a path from input to output."""
    found = set(graph.outputs)
    for index in range(len(graph.calls) - 1, -1, -1):
        if index in found:
            found.update(carried(graph.calls[index].op, graph.calls[index].inputs))
    return found
