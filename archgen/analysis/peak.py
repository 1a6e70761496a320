"""Most bytes of activations that inference holds at once, counted without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archgen.errors import ArchError
from archgen.forward import Forward
from archgen.graph import Graph
from archgen.inplace import homes
from archgen.ops import FLOAT, Add
from archgen.order import arranged
from archgen.regions import Region
from archgen.spec import Net


def peak_bytes(net: Net | Graph, batch: int = 1) -> int:
    """Count the bytes of activations that are alive at once at most, in float32.

    The generated program runs in evaluation mode without gradients. Alive is a storage that
    the network made and that a variable, an argument of a call under way or an expression
    holds, as Python and PyTorch hold them. The images belong to the caller and do not count,
    nor do weights or what a kernel needs inside.

    Args:
        net: A spec or a graph.
        batch: Images in a forward pass.

    Raises:
        ArchError: The spec cannot be lowered, a module is left and entered again, or there is no
            image.
    """
    if batch < 1:
        raise ArchError("batch", f"at least 1 image, not {batch}")
    graph = net if isinstance(net, Graph) else net.graph()
    run = _Run(graph, batch)
    run.module(arranged(graph))
    return run.peak


class _Run:
    """Follows the program with a count of holders for each storage."""

    def __init__(self, graph: Graph, batch: int) -> None:
        self.graph = graph
        self.batch = batch
        self.live = self.peak = 0
        self.homes = homes(graph, training=False)
        self.sizes = [FLOAT * batch * prod(call.shape) for call in graph.calls]
        self.holders = [0] * len(graph.calls)
        self.holders[0] = 1  # the caller holds the images

    def module(self, region: Region) -> None:
        """Call a module; each of its results comes back with a holder."""
        names = Forward(self.graph, region, self.homes, indexed=False).names
        variables = {names[index]: index for index in region.inputs}
        for index in region.inputs:
            self._hold(index)
        for member in region.steps:
            if isinstance(member, Region):
                self.module(member)
                results = member.outputs
            elif member in names:
                self._evaluate(member, names)
                results = (member,)
            else:
                continue  # stands in the expression of the next member
            for index in results:
                before = variables.get(names[index])
                variables[names[index]] = index
                if before is not None:
                    self._release(before)
        for index in region.outputs:
            self._hold(index)
        for index in variables.values():
            self._release(index)

    def _evaluate(self, index: int, names: Mapping[int, str]) -> None:
        """Run the expression of an operation, what stands in it first; hold its result."""
        _, op, inputs, shape = self.graph.calls[index]
        partial = 0  # bytes of the sum so far
        inside: list[int] = []
        for place, source in enumerate(inputs):
            if source not in names:
                self._evaluate(source, names)
                inside.append(source)
            if isinstance(op, Add) and 0 < place < len(inputs) - 1:
                self.live += self.sizes[index]
                self.peak = max(self.peak, self.live)
                self.live -= partial
                partial = self.sizes[index]
                while inside:
                    self._release(inside.pop())
        self._hold(index)
        operand = self.graph.calls[inputs[0]].shape
        self.peak = max(self.peak, self.live + op.scratch(operand, shape, self.batch))
        self.live -= partial
        for source in inside:
            self._release(source)

    def _hold(self, index: int) -> None:
        home = self.homes[index]
        if not self.holders[home]:
            self.live += self.sizes[home]
        self.holders[home] += 1

    def _release(self, index: int) -> None:
        home = self.homes[index]
        self.holders[home] -= 1
        if not self.holders[home]:
            self.live -= self.sizes[home]
