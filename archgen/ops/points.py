"""Operations on each value by itself: activations, sums, products; and the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, TypeAlias

from archgen.ops.base import FLOAT, Law, Op, Shape, Slot, Text, size

ActKind: TypeAlias = Literal[
    "relu", "relu6", "leaky_relu", "elu", "silu", "gelu", "mish", "hardswish", "sigmoid"
]


@dataclass(frozen=True, slots=True)
class Input(Op):
    """The network's input."""

    dims: Shape

    def shape(self, *inputs: Shape) -> Shape:
        return self.dims


@dataclass(frozen=True, slots=True)
class Act(Op):
    """Pointwise non-linearity. `inplace` is decided by the code generator, never stored."""

    kind: ActKind

    @property
    def may_work_in_place(self) -> bool:
        """Whether its gradient needs only its output (else in place saves no memory)."""
        return self.kind in ("relu", "leaky_relu", "elu")

    @property
    def saves_output(self) -> bool:
        return self.kind in ("relu", "sigmoid")

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return () if self.saves_output else (0,)

    def expr(self, args: Sequence[str], me: str) -> Text:
        home = "torch" if self.kind == "sigmoid" else "F"
        return (f"{home}.{self.kind}({args[0]})",)

    def expr_in_place(self, args: Sequence[str]) -> Text:
        """Give the expression that overwrites its operand."""
        return (f"F.{self.kind}({args[0]}, inplace=True)",)


@dataclass(frozen=True, slots=True)
class Dropout(Op):
    """Dropout of single values with probability `p`."""

    p: float

    def saves_besides(self, out: Shape, batch: int, value: int = FLOAT) -> int:
        return batch * prod(out) * value  # the mask, scaled (on a CUDA device one byte a value)

    def module(self) -> Text:
        return ("nn.Dropout(", Slot("dropout", self.p), ")")


@dataclass(frozen=True, slots=True)
class Add(Op):
    """Sum of maps of one shape."""

    fresh: ClassVar[bool] = True
    infix: ClassVar[bool] = True
    tight: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for other in inputs:
            if other != first:
                raise Law(_unlike(inputs), "shortcut")
        return first

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (" + ".join(args),)


def _unlike(shapes: Sequence[Shape]) -> str:
    message = f"maps of {' and '.join(map(size, shapes))} cannot be added"
    heights = {shape[-1] for shape in shapes}
    if max(heights) - min(heights) == 1:
        message += "; an odd size is halved in two ways: use an input that the strides divide"
    return message


@dataclass(frozen=True, slots=True)
class Mul(Op):
    """Product of a map with a map of its shape or a (C, 1, 1) gate."""

    fresh: ClassVar[bool] = True
    infix: ClassVar[bool] = True
    tight: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        x, gate = inputs
        if gate not in (x, (x[0], 1, 1)):
            raise Law(f"a map of {size(x)} cannot be gated by {size(gate)}")
        return x

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return tuple(i for i in (0, 1) if needs[1 - i])

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]} * {args[1]}",)


@dataclass(frozen=True, slots=True)
class Times(Op):
    """Product with a constant."""

    fresh: ClassVar[bool] = True
    infix: ClassVar[bool] = True
    tight: ClassVar[bool] = True
    factor: float

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]} * ", Slot("factor", self.factor))
