"""Fold batch norms and parallel branches into convolutions: the form in which networks run.

Exact in evaluation, where a batch norm is an affine map by its running statistics: RepVGG,
arXiv:2101.03697, section 3.3. Weights move: with the graph comes how its kernels are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from archgen.graph import Call, Graph
from archgen.ops import Add, Conv, DilatedPool, Dropout, Norm, Pool


@dataclass(frozen=True, slots=True)
class Own:
    """Weight and bias (or zeros) of a convolution, as they are.

    Args:
        path: Its path.
        op: The convolution.
    """

    path: str
    op: Conv


@dataclass(frozen=True, slots=True)
class Unit:
    """The map itself: a 1x1 kernel of ones in as many groups as channels."""

    channels: int


@dataclass(frozen=True, slots=True)
class Normed:
    """A kernel with a batch norm behind it.

    Args:
        kernel: What the norm reads.
        path: The norm's path.
        op: The norm.
    """

    kernel: Kernel
    path: str
    op: Norm


@dataclass(frozen=True, slots=True)
class Averaged:
    """A 1x1 kernel and an average pool: a `size` x `size` kernel of equal parts."""

    kernel: Kernel
    size: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A kernel among the zeros of a larger one, which may have fewer groups.

    Args:
        kernel: The smaller one.
        into: The convolution that takes it up.
        at: Its rows and columns there.
    """

    kernel: Kernel
    into: Conv
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of kernels of one shape."""

    kernels: tuple[Kernel, ...]


Kernel: TypeAlias = Own | Unit | Normed | Averaged | Placed | Sum
"""How weight and bias of a folded convolution come from tensors of the unfolded network."""


class Folded(NamedTuple):
    """A folded graph, and where its weights come from.

    Args:
        graph: The graph; what is left keeps its name.
        kernels: Those that changed, by the path of their convolution. All other tensors stay.
    """

    graph: Graph
    kernels: dict[str, Kernel]


def fold(graph: Graph) -> Folded:
    """Fold all that can be folded exactly.

    - A batch norm goes into the convolution before it, if nothing else reads that.
    - Operands of a sum that read one map go into the largest convolution among them: others
      of its stride that read no pixel that it does not, 1x1 convolutions behind an average
      pool, average pools, batch norms and the map itself. What is left alone is no sum.
    - Dropout does nothing in evaluation.

    It is exact at every size of image that keeps the laws of the operations, not at the
    graph's alone: a ceil-mode pool stays, since it divides by less where a window is cut.

    Args:
        graph: Any graph.
    """
    kernels: dict[str, Kernel] = {}
    while True:
        before, graph = graph, _without_dropout(graph)
        graph = _without_norms(graph, kernels)
        graph = _without_branches(graph, kernels)
        if graph.calls == before.calls:
            names = {call.name for call in graph.calls}
            return Folded(graph, {name: kernels[name] for name in kernels if name in names})


def _without_dropout(graph: Graph) -> Graph:
    instead = {
        i: call.inputs[0] for i, call in enumerate(graph.calls) if isinstance(call.op, Dropout)
    }
    return _rewired(graph, graph.calls, instead)


def _without_norms(graph: Graph, kernels: dict[str, Kernel]) -> Graph:
    calls, instead = list(graph.calls), {}
    for index, call in enumerate(graph.calls):
        if not isinstance(call.op, Norm):
            continue
        source = call.inputs[0]
        name, conv, *_ = graph.calls[source]
        if isinstance(conv, Conv) and _only_reader(graph, source, index):
            calls[source] = calls[source]._replace(op=replace(conv, bias=True))
            kernels[name] = Normed(_kernel(name, conv, kernels), call.name, call.op)
            instead[index] = source
    return _rewired(graph, calls, instead)


def _without_branches(graph: Graph, kernels: dict[str, Kernel]) -> Graph:
    calls, instead = list(graph.calls), {}
    for index, call in enumerate(graph.calls):
        if isinstance(call.op, Add):
            left = _merge_operands(graph, index, calls, kernels)
            calls[index] = call._replace(inputs=left)
            if len(left) == 1:
                instead[index] = left[0]
    return _rewired(graph, calls, instead)


def _kernel(path: str, conv: Conv, kernels: Mapping[str, Kernel]) -> Kernel:
    return kernels.get(path) or Own(path, conv)


class _Branch(NamedTuple):
    """An operand of a sum, seen as one convolution of a map."""

    source: int
    conv: Conv
    kernel: Kernel


def _merge_operands(
    graph: Graph, total: int, calls: list[Call], kernels: dict[str, Kernel]
) -> tuple[int, ...]:
    """Merge operands of the sum at `total` into convolutions of `calls`; give what is left."""
    left = graph.calls[total].inputs
    found = {i: _branch(graph, total, i, kernels) for i in left}
    branches = {i: branch for i, branch in found.items() if branch}
    for main, whole in sorted(branches.items(), key=lambda item: -item[1].conv.kernel):
        call = calls[main]
        if main not in left or call.op != whole.conv:
            continue
        seen = {**branches, whole.source: _unit(graph, whole.source)}
        parts = {i: seen[i] for i in left if i in seen and i != main and _covers(whole, seen[i])}
        if parts:
            bias = whole.conv.bias or any(part.conv.bias for part in parts.values())
            placed = [_placed(parts[i], whole.conv) for i in left if i in parts]
            conv, kernel = replace(whole.conv, bias=bias), Sum((whole.kernel, *placed))
            calls[main], kernels[call.name] = call._replace(op=conv), kernel
            branches[main] = _Branch(whole.source, conv, kernel)
            left = tuple(i for i in left if i not in parts)
    return left


def _unit(graph: Graph, source: int) -> _Branch:
    """See a map itself as a convolution of it."""
    channels = graph.calls[source].shape[0]
    return _Branch(source, Conv(channels, channels, groups=channels), Unit(channels))


def _branch(graph: Graph, total: int, index: int, kernels: dict[str, Kernel]) -> _Branch | None:
    """See the operand of a sum as a convolution of a map, if it is one for that sum alone."""
    name, op, inputs, _ = graph.calls[index]
    if not _only_reader(graph, index, total):
        return None
    match op:
        case Norm():
            source, unit, kernel = _unit(graph, inputs[0])
            return _Branch(source, replace(unit, bias=True), Normed(kernel, name, op))
        case Conv():
            kernel = _kernel(name, op, kernels)
            pool = _average(graph, inputs[0], index)
            if pool is None or (op.kernel, op.stride, op.padding) != (1, 1, 0):
                return _Branch(inputs[0], op, kernel)
            conv = replace(pool.conv, out=op.out, groups=op.groups, bias=op.bias)
            return _Branch(pool.source, conv, Averaged(kernel, conv.kernel))
    return _average(graph, index, total)


def _average(graph: Graph, index: int, reader: int) -> _Branch | None:
    """See an average pool as a convolution, if it is one for that reader alone."""
    _, op, inputs, _ = graph.calls[index]
    if not _only_reader(graph, index, reader):
        return None
    match op:
        case Pool(kind="avg", ceil=False):
            rate, padding = 1, op.padding
        case DilatedPool():
            rate, padding = op.dilation, 0
        case _:
            return None
    source, unit, kernel = _unit(graph, inputs[0])
    conv = replace(unit, kernel=op.kernel, stride=op.stride, padding=padding, dilation=rate)
    return _Branch(source, conv, Averaged(kernel, op.kernel))


def _only_reader(graph: Graph, index: int, reader: int) -> bool:
    return graph.users[index] == (reader,) and index not in graph.outputs


def _taps(conv: Conv) -> list[int]:
    """Rows (and columns) that a convolution reads, counted from where its stride puts it."""
    return [conv.dilation * i - conv.padding for i in range(conv.kernel)]


def _covers(main: _Branch, part: _Branch) -> bool:
    return (
        part.source == main.source
        and part.conv.stride == main.conv.stride
        and part.conv.groups % main.conv.groups == 0
        and set(_taps(part.conv)) <= set(_taps(main.conv))
    )


def _placed(part: _Branch, into: Conv) -> Placed:
    taps = _taps(into)
    return Placed(part.kernel, into, tuple(taps.index(tap) for tap in _taps(part.conv)))


def _rewired(graph: Graph, calls: Sequence[Call], instead: Mapping[int, int]) -> Graph:
    """Give the graph of `calls`, some results replaced by others; drop what nobody reads."""

    def given(index: int) -> int:
        while index in instead:
            index = instead[index]
        return index

    outputs = [given(end) for end in graph.outputs]
    inputs = [tuple(map(given, call.inputs)) for call in calls]
    alive = set(outputs)
    for index in reversed(range(len(calls))):
        if index in alive:
            alive.update(inputs[index])
    place = {old: new for new, old in enumerate(sorted(alive))}
    kept = tuple(
        calls[old]._replace(inputs=tuple(place[source] for source in inputs[old])) for old in place
    )
    return Graph(graph.name, kept, tuple(place[end] for end in outputs), graph.labels)
