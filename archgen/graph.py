"""The graph of primitive operations, the handle that blocks write it with, and its linter.

A graph is a flat list of calls in execution order; a call's name is its module path
(``stages.2.5.spatial``), so that the calls of one module stand together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple, cast

from archgen.errors import ArchError
from archgen.ops import (
    Act,
    ActKind,
    Add,
    Cat,
    Conv,
    Dropout,
    Flatten,
    GroupNorm,
    Input,
    Law,
    Linear,
    Mean,
    Mul,
    Norm,
    Op,
    Pad,
    Pool,
    Shape,
    Shuffle,
    Slice,
    Subsample,
    Times,
    Weigh,
    size,
)

if TYPE_CHECKING:
    import networkx as nx

MAX_CALLS = 100_000
"""Most operations that a graph may have."""
NAME = re.compile(r"[a-z][a-z0-9_]*|0|[1-9][0-9]*")


class Call(NamedTuple):
    """One operation applied to earlier results.

    Args:
        name: Module path, unique in the graph.
        op: The operation.
        inputs: Positions of its operands in the list of calls.
        shape: Shape of its result, batch left out.
    """

    name: str
    op: Op
    inputs: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as a flat list of calls; two graphs of one network have one `digest`.

    Args:
        name: The network's name.
        calls: All operations in execution order; the first is the input.
        outputs: Positions of the results that the network returns.
        labels: What a module path is called as a class (``stages.0.0`` -> ``bottleneck``).
    """

    name: str
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]
    labels: dict[str, str] = field(default_factory=dict)

    @cached_property
    def users(self) -> tuple[tuple[int, ...], ...]:
        """For each call, the positions of the calls that read it."""
        users: list[list[int]] = [[] for _ in self.calls]
        for index, call in enumerate(self.calls):
            for source in call.inputs:
                users[source].append(index)
        return tuple(map(tuple, users))

    @cached_property
    def dag(self) -> nx.DiGraph[str]:
        """The same graph in networkx: nodes are names with the attributes ``op`` and ``shape``."""
        import networkx as nx

        dag: nx.DiGraph[str] = nx.DiGraph(name=self.name)
        for call in self.calls:
            dag.add_node(call.name, op=call.op, shape=call.shape)
            dag.add_edges_from((self.calls[source].name, call.name) for source in call.inputs)
        return dag

    @property
    def classes(self) -> int | None:
        """Length of the vector that it gives; None where it gives something else."""
        shape, *others = [self.calls[end].shape for end in self.outputs]
        return None if others or len(shape) != 1 else shape[0]

    @cached_property
    def digest(self) -> str:
        """Hexadecimal hash of the operations and their wiring; names and order do not matter."""
        seen: list[str] = []
        for call in self.calls:
            seen.append(_hash(f"{call.op!r} {[seen[source] for source in call.inputs]}"))
        return _hash(repr([seen[end] for end in self.outputs]))

    def params(self) -> Iterator[tuple[str, Call, Shape]]:
        """Yield name, owner and shape of each learned tensor."""
        for call in self.calls:
            for param in call.op.params():
                name = f"{call.name}.{param.suffix}" if param.suffix else call.name
                yield name, call, param.shape


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def check(graph: Graph) -> None:
    """Check that a graph is well formed; every pass must leave one that is.

    Raises:
        ArchError: A name is bad, not unique or a module's, an operand comes later or breaks a
            law, a shape is wrong, or a result is neither read nor returned.
    """
    seen: set[str] = set()
    modules: set[str] = set()
    for index, call in enumerate(graph.calls):
        if call.name in seen or not all(map(_is_name, call.name.split("."))):
            raise ArchError(call.name, "this name is taken twice or is no module path")
        seen.add(call.name)
        module = call.name
        while (module := module.rpartition(".")[0]) and module not in modules:
            modules.add(module)
        if any(source >= index for source in call.inputs):
            raise ArchError(call.name, "reads a result that is computed later")
        try:
            shape = call.op.shape(*[graph.calls[source].shape for source in call.inputs])
        except Law as law:
            raise ArchError(call.name, law.message) from None
        if shape != call.shape:
            raise ArchError(call.name, f"gives {size(shape)}, not {size(call.shape)} as it says")
        if not graph.users[index] and index not in graph.outputs:
            raise ArchError(call.name, "its result is neither read nor returned")
    for name in seen & modules:
        raise ArchError(name, "this is the name of an operation and of a module")


def _is_name(part: str) -> bool:
    return NAME.fullmatch(part) is not None and not iskeyword(part)


class Builder:
    """Collects calls; blocks see it only through `Map`."""

    def __init__(self, dims: Shape) -> None:
        self.calls: list[Call] = []
        self.labels: dict[str, str] = {}
        self.taps: dict[str, Callable[[Map], Map]] = {}
        self._prefix = ""
        self._counts: dict[str, int] = {}
        self.input = self.add("input", Input(dims))

    def add(self, name: str, op: Op, *inputs: Map) -> Map:
        """Append a call below the open scope.

        Raises:
            ArchError: The operation refuses its operands.
        """
        path = self._prefix + name
        index = len(self.calls)
        try:
            if len(inputs) == 1:  # nearly always, and quicker without comprehensions
                sources: tuple[int, ...] = (inputs[0].index,)
                shape = op.shape(inputs[0].shape)
            else:
                sources = tuple([x.index for x in inputs])
                shape = op.shape(*[x.shape for x in inputs])
        except Law as law:
            raise ArchError(path, law.message, field=law.field) from None
        if index >= MAX_CALLS:
            raise ArchError(path, f"more than {MAX_CALLS:,} operations; reduce depth")
        self.calls.append(_call(Call, (path, op, sources, shape)))
        return Map(self, index, shape)

    def number(self, kind: str) -> str:
        """Give a name that is new in the open scope to an operation without weights."""
        key = self._prefix + kind
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return kind if count == 1 else f"{kind}_{count}"

    def scope(self, name: str, label: str = "") -> _Scope:
        """Open a module in a ``with``: calls made inside are named below it."""
        path = self._prefix + name
        if label:
            self.labels[path] = label
        return _Scope(self, f"{path}.")

    def graph(self, name: str, outputs: Sequence[Map], *, partial: bool = False) -> Graph:
        """Finish: leave out what no output needs.

        Args:
            name: The network's name.
            outputs: What it returns.
            partial: Whether weights may be left out as well.

        Raises:
            ArchError: Two operations have one name, or weights would be left out.
        """
        if len({call.name for call in self.calls}) < len(self.calls):
            names = [call.name for call in self.calls]
            twice = next(name for name in names if names.count(name) > 1)
            raise ArchError(twice, "two operations have this name; give each its own")
        ends = [x.index for x in outputs]
        alive = [False] * len(self.calls)
        for end in ends:
            alive[end] = True
        for index in range(len(self.calls) - 1, -1, -1):
            if alive[index]:
                for source in self.calls[index].inputs:
                    alive[source] = True
            elif index == 0 or (self.calls[index].op.param_count and not partial):
                raise ArchError(
                    self.calls[index].name,
                    "nothing reads its result; remove it, or name its node in outputs",
                )
        if all(alive):
            return Graph(name, tuple(self.calls), tuple(ends), self.labels)
        kept = [index for index, lives in enumerate(alive) if lives]
        place = {old: new for new, old in enumerate(kept)}
        calls = tuple(
            Call(call.name, call.op, tuple([place[source] for source in call.inputs]), call.shape)
            for call in (self.calls[index] for index in kept)
        )
        return Graph(name, calls, tuple(place[end] for end in ends), self.labels)


_conv = lru_cache(maxsize=4096, typed=True)(Conv)
_act = lru_cache(maxsize=4096, typed=True)(Act)
"""The operations that graphs are full of, as is `_norm`: equal ones are made once."""
_call = tuple.__new__
"""Makes a `Call` in half the time that its own constructor takes."""


@lru_cache(maxsize=4096, typed=True)
def _norm(channels: int, eps: float, affine: bool) -> Norm:
    return Norm(channels, eps, affine=affine)


class _Scope:
    """A module that is open; a generator's would cost twice as much."""

    __slots__ = ("_builder", "_inner", "_outer")

    def __init__(self, builder: Builder, inner: str) -> None:
        self._builder, self._inner = builder, inner

    def __enter__(self) -> None:
        self._outer, self._builder._prefix = self._builder._prefix, self._inner

    def __exit__(self, *_: object) -> None:
        self._builder._prefix = self._outer


@dataclass(slots=True, eq=False)  # frozen, it would take three times as long to make
class Map:
    """A feature map (N, C, H, W) in a graph that is being built; never changed.

    All that a block needs: every method adds one operation and returns the new map.
    Operations with weights take their name from the block; it becomes the attribute of the
    module, the key in the ``state_dict`` and the row in the cost table.

    Args:
        builder: The graph being built.
        index: Position of the call that gives it.
        shape: (C, H, W), or (C,) for a vector.
        parts: Channels of its parts where it has a layout (DPN: residual, dense).
    """

    builder: Builder
    index: int
    shape: Shape
    parts: tuple[int, ...] = ()

    @property
    def channels(self) -> int:
        """C."""
        return self.shape[0]

    def conv(
        self,
        name: str,
        out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> Map:
        """Convolve; the padding keeps the size at stride 1 (``dilation * (kernel // 2)``)."""
        padding = dilation * (kernel // 2)
        op = _conv(self.channels, out, kernel, stride, padding, dilation, groups, bias)
        return self.builder.add(name, op, self)

    def linear(self, name: str, out: int) -> Map:
        """Apply a fully connected layer with bias to a vector."""
        return self.builder.add(name, Linear(self.channels, out), self)

    def norm(self, name: str, eps: float = 1e-5, *, affine: bool = True) -> Map:
        """Normalise over the batch."""
        return self.builder.add(name, _norm(self.channels, eps, affine), self)

    def group_norm(self, name: str, groups: int, eps: float = 1e-5, *, affine: bool = True) -> Map:
        """Normalise over groups of channels."""
        return self.builder.add(name, GroupNorm(self.channels, groups, eps, affine), self)

    def act(self, kind: str = "relu") -> Map:
        """Apply a non-linearity; ``"none"`` gives the map itself."""
        if kind == "none":
            return self
        return self._plain(kind, _act(cast("ActKind", kind)))

    def max_pool(self, kernel: int, stride: int, padding: int = 0) -> Map:
        """Take the maximum over windows."""
        return self._plain("max_pool", Pool("max", kernel, stride, padding))

    def avg_pool(self, kernel: int, stride: int, *, ceil: bool = False) -> Map:
        """Take the mean over windows without padding."""
        return self._plain("avg_pool", Pool("avg", kernel, stride, ceil=ceil))

    def mean(self) -> Map:
        """Take the mean over all positions: (C, 1, 1)."""
        return self._plain("mean", Mean())

    def flatten(self) -> Map:
        """See a (C, 1, 1) map as a vector."""
        return self._plain("flatten", Flatten())

    def dropout(self, name: str, p: float) -> Map:
        """Drop single values with probability `p`; 0 adds nothing."""
        return self.builder.add(name, Dropout(p), self) if p else self

    def gate(self, name: str, kind: str = "sigmoid", groups: int = 1, out: int = 0) -> Map:
        """Squeeze and excite in one layer: mean, 1x1 convolution, non-linearity: (C, 1, 1)."""
        return self.mean().conv(name, out or self.channels, groups=groups).act(kind)

    def weigh(self, name: str, start: float) -> Map:
        """Multiply each channel with its own learned weight, which starts as `start`."""
        return self.builder.add(name, Weigh(self.channels, start), self)

    def shuffle(self, groups: int) -> Map:
        """Shuffle channels over groups."""
        return self._plain("shuffle", Shuffle(groups))

    def pad(self, before: int, after: int) -> Map:
        """Add zero channels; none to add gives the map itself."""
        return self._plain("pad", Pad(before, after)) if before or after else self

    def subsample(self, stride: int) -> Map:
        """Take every `stride`-th row and column."""
        return self._plain("subsample", Subsample(stride)) if stride > 1 else self

    def cat(self, *others: Map) -> Map:
        """Stack maps along channels; the result's parts are the maps."""
        maps = (self, *others)
        joined = self._plain("cat", Cat(), *others)
        return joined.laid_out(*[x.channels for x in maps])

    def laid_out(self, *parts: int) -> Map:
        """Give the same map with a layout: channels of its parts, in order."""
        return Map(self.builder, self.index, self.shape, parts)

    def split(self) -> list[Map]:
        """Take a map apart into the parts of its layout."""
        maps, start = [], 0
        for part in self.parts:
            maps.append(self[start : start + part])
            start += part
        return maps

    def tap(self, name: str) -> Map:
        """Offer this map to the join under a name (DS2Net adds shortcuts here)."""
        handler = self.builder.taps.get(name)
        return handler(self) if handler else self

    def __add__(self, other: Map) -> Map:
        return self._plain("add", Add(), other)

    def __mul__(self, other: Map | float) -> Map:
        if isinstance(other, Map):
            return self._plain("mul", Mul(), other)
        return self._plain("times", Times(other))

    def __getitem__(self, channels: slice) -> Map:
        if not isinstance(channels, slice) or channels.step is not None:
            raise Law("only ranges of channels can be taken: x[a:b]")
        start, end, _ = channels.indices(self.channels)
        stop = None if end == self.channels else end
        if (start, stop) == (0, None):
            return self
        return self._plain("slice", Slice(start, stop))

    def _plain(self, kind: str, op: Op, *others: Map) -> Map:
        return self.builder.add(self.builder.number(kind), op, self, *others)


def add(maps: Sequence[Map]) -> Map:
    """Sum several maps in one operation."""
    first, *others = maps
    if not others:
        return first
    return first.builder.add(first.builder.number("add"), Add(), *maps)
