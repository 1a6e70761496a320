"""The handle that blocks write a graph with: maps, and what collects their operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from archgen.errors import ArchError
from archgen.graph.calls import Call, Graph
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
)

MAX_CALLS = 100_000
"""Most operations that a graph may have."""


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
