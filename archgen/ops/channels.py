"""Operations that move channels: stacks, ranges, shuffles, zeros; and a map as a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from archgen.ops.base import Law, Op, Shape, Slot, Text, on_map, size


@dataclass(frozen=True, slots=True)
class Cat(Op):
    """Maps of one size stacked along channels."""

    fresh: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        for other in inputs:
            if on_map(other)[1:] != inputs[0][1:]:
                raise Law(
                    f"maps of {' and '.join(map(size, inputs))} differ in height or width "
                    "and cannot be stacked",
                    "stride",
                )
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"torch.cat(({', '.join(args)}), 1)",)


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Channels `start` to `stop` (excluded; None is the end)."""

    tight: ClassVar[bool] = True
    view: ClassVar[bool] = True
    start: int
    stop: int | None

    def shape(self, *inputs: Shape) -> Shape:
        channels = on_map(inputs[0])[0]
        stop = channels if self.stop is None else self.stop
        if not 0 <= self.start < stop <= channels:
            raise Law(f"channels {self.start} to {stop} are not among {channels}")
        return (stop - self.start, *inputs[0][1:])

    def expr(self, args: Sequence[str], me: str) -> Text:
        stop = () if self.stop is None else (Slot("split", self.stop),)
        return (f"{args[0]}[:, ", Slot("split", self.start, "", 0), ":", *stop, "]")


@dataclass(frozen=True, slots=True)
class Shuffle(Op):
    """Channel shuffle: channels seen as (groups, C/groups), transposed (arXiv:1707.01083)."""

    groups: int

    def shape(self, *inputs: Shape) -> Shape:
        if on_map(inputs[0])[0] % self.groups:
            raise Law(f"{inputs[0][0]} channels cannot be shuffled in {self.groups} groups")
        return inputs[0]

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"F.channel_shuffle({args[0]}, ", Slot("groups", self.groups), ")")


@dataclass(frozen=True, slots=True)
class Pad(Op):
    """Zero channels before and after."""

    before: int
    after: int

    def shape(self, *inputs: Shape) -> Shape:
        channels, height, width = on_map(inputs[0])
        return self.before + channels + self.after, height, width

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (
            f"F.pad({args[0]}, (0, 0, 0, 0, ",
            Slot("before", self.before),
            ", ",
            Slot("after", self.after),
            "))",
        )


@dataclass(frozen=True, slots=True)
class Flatten(Op):
    """A map as a vector: (C, H, W) -> (C * H * W,)."""

    tight: ClassVar[bool] = True
    view: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}.flatten(1)",)
