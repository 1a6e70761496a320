"""The order in which a module runs its members: the one that holds least memory in inference."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import accumulate
from math import prod
from typing import NamedTuple

from archgen.graph import Graph
from archgen.inplace import homes
from archgen.ops import FLOAT, Add
from archgen.regions import Region, regions

_TRIED = 20_000
"""Most steps that the search tries in a module before it gives up."""


class _Storage(NamedTuple):
    """Memory that a module makes. Members are bits; one more bit reads what it returns."""

    size: int
    maker: int
    readers: int


def arranged(graph: Graph) -> Region:
    """Rebuild the module tree of a graph and set the order in which each module runs.

    It is not the graph's only where another one lowers the peak of the module, in a network
    whose peak falls by that.

    Raises:
        ArchError: A module is left and entered again.
    """
    root = regions(graph)
    search = _Search(graph)
    plain, best = search.module(root)
    if best < plain:
        for region, order in search.found:
            region.steps = [region.members[k] for k in order]
    return root


class _Search:
    """Goes through the module tree, leaves first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home = homes(graph, training=False)
        self.found: list[tuple[Region, tuple[int, ...]]] = []

    def module(self, region: Region) -> tuple[int, int]:
        """Give the bytes that a module adds at most, in the graph's order and in the best."""
        if not region.members:
            return 0, 0  # a network that gives its images back
        home, calls = self.home, self.graph.calls
        plain: list[int] = []
        best: list[int] = []
        before: list[int] = []  # the members that each one runs behind
        makers: dict[int, int] = {}
        readers = dict.fromkeys((home[index] for index in region.outputs), 1 << len(region.members))
        for k, member in enumerate(region.members):
            if isinstance(member, Region):
                inputs, results = member.inputs, member.outputs
                as_is, lowest = self.module(member)
            else:
                inputs, results = calls[member].inputs, (member,)
                as_is = lowest = self._operation(member)
            plain.append(as_is)
            best.append(lowest)
            behind = 0
            for source in inputs:
                behind |= makers.get(source, 0)
                readers[home[source]] = readers.get(home[source], 0) | 1 << k
            before.append(behind)
            makers.update(dict.fromkeys(results, 1 << k))
        made: dict[int, int] = {}
        given = {home[index] for index in region.inputs}  # the caller holds it all the time
        for index, maker in makers.items():
            if home[index] not in given:
                made.setdefault(home[index], maker)
        storages = [
            _Storage(FLOAT * prod(calls[index].shape), maker, readers[index])
            for index, maker in made.items()
        ]
        as_is, at = _peak(plain, storages)
        lowest, at = (as_is, at) if plain == best else _peak(best, storages)
        if lowest > best[at] + sum(s.size for s in storages if s.readers >> at & 1):
            order, lowest = _lower(lowest, best, before, storages)
            if order:
                self.found.append((region, order))
        return as_is, lowest

    def _operation(self, index: int) -> int:
        """Give the bytes that an operation adds while it runs."""
        _, op, inputs, shape = self.graph.calls[index]
        results = (self.home[index] == index) + (isinstance(op, Add) and len(inputs) > 2)
        operand = self.graph.calls[inputs[0]].shape
        return FLOAT * results * prod(shape) + op.scratch(operand, shape, 1)


def _peak(adds: Sequence[int], storages: Sequence[_Storage]) -> tuple[int, int]:
    """Give the peak where members run as they stand, and who reaches it."""
    changes = [0] * (len(adds) + 2)
    for size, maker, readers in storages:
        changes[maker.bit_length()] += size
        changes[readers.bit_length()] -= size
    alive = accumulate(changes)
    return max((next(alive) + add, k) for k, add in enumerate(adds))


def _lower(
    most: int, adds: Sequence[int], before: Sequence[int], storages: Sequence[_Storage]
) -> tuple[tuple[int, ...], int]:
    """Find the order with the lowest peak below `most`, the first such one.

    Returns:
        The order and its peak; an empty one and `most` where none is found.
    """
    seen: set[int] = set()
    states: list[tuple[int, tuple[int, ...], int]] = [(0, (), 0)]
    while states and len(seen) * len(adds) < _TRIED:
        highest, order, done = heappop(states)
        if len(order) == len(adds):
            return order, highest
        if done in seen:
            continue
        seen.add(done)
        alive = sum(s.size for s in storages if s.maker & done and s.readers & ~done)
        for k, add in enumerate(adds):
            reached = max(highest, alive + add)
            if not done >> k & 1 and not before[k] & ~done and reached < most:
                heappush(states, (reached, (*order, k), done | 1 << k))
    return (), most
