"""Operations over windows of a map: pools, and taking every s-th pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from archgen.ops.base import FLOAT, INDEX, Law, Op, Shape, Slot, Text, Window, on_map, slide


@dataclass(frozen=True, slots=True)
class Pool(Op):
    """Max or average pooling; an average counts only positions inside the map and its padding."""

    kind: Literal["max", "avg"]
    kernel: int
    stride: int
    padding: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def shape(self, *inputs: Shape) -> Shape:
        if self.padding > self.kernel // 2:
            raise Law(
                f"PyTorch pools with at most {self.kernel // 2} of padding around a window of "
                f"{self.kernel}, not {self.padding}"
            )
        sides = slide(inputs[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil)
        return (inputs[0][0], *sides)

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def saves_besides(self, out: Shape, batch: int, value: int = FLOAT) -> int:
        return batch * prod(out) * INDEX if self.kind == "max" else 0

    def scratch(self, operand: Shape, out: Shape, batch: int) -> int:
        return self.saves_besides(out, batch)

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (
            f"F.{self.kind}_pool2d({args[0]}, ",
            Slot("pool", self.kernel),
            Slot("stride", self.stride, ", stride=", self.kernel),
            Slot("padding", self.padding, ", padding=", 0),
            Slot("dilation", self.dilation, ", dilation=", 1) if self.kind == "max" else "",
            ", ceil_mode=True)" if self.ceil else ")",
        )


@dataclass(frozen=True, slots=True)
class Frame(Op):
    """`width` pixels of -inf around a map: what a max pool does not see.

    PyTorch pads a max pool by half its kernel at most, dilated or not.
    """

    width: int

    @property
    def window(self) -> Window:
        return Window(padding=self.width)

    def shape(self, *inputs: Shape) -> Shape:
        channels, *sides = on_map(inputs[0])
        return (channels, *(side + 2 * self.width for side in sides))

    def expr(self, args: Sequence[str], me: str) -> Text:
        side = Slot("frame", self.width)
        sides = (side, ", ", side, ", ", side, ", ", side)
        return (f"F.pad({args[0]}, (", *sides, "), value=-torch.inf)")


@dataclass(frozen=True, slots=True)
class DilatedPool(Op):
    """Mean over windows with entries `dilation` apart, one from every `stride`-th pixel on.

    What an average pool becomes where its stride is cut. Beyond the last row and column it
    reads zeros, and divides by all entries: with a 1x1 convolution behind, it is a dilated
    convolution with zero padding.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, dilation=self.dilation)

    def shape(self, *inputs: Shape) -> Shape:
        channels, *sides = on_map(inputs[0])
        return (channels, *(-(-side // self.stride) for side in sides))

    def scratch(self, operand: Shape, out: Shape, batch: int) -> int:
        past = self.dilation * (self.kernel - 1)
        channels, height, width = operand
        framed = (height + past) * (width + past)
        rows = out[1] * (width + past)  # means over each window's rows
        beside = max(framed + rows - out[1] * out[2], rows)
        return batch * channels * beside * FLOAT

    def expr(self, args: Sequence[str], me: str) -> Text:
        more = self.dilation * (self.kernel - 1)
        past, window = Slot("past", more), Slot("window", more + 1)
        stride, rate = Slot("stride", self.stride), Slot("dilation", self.dilation)
        rows = (".unfold(2, ", window, ", ", stride, ")[..., ::", rate, "].mean(-1)")
        columns = (".unfold(3, ", *rows[1:])
        return (f"F.pad({args[0]}, (0, ", past, ", 0, ", past, "))", *rows, *columns)


@dataclass(frozen=True, slots=True)
class Mean(Op):
    """Mean over all positions (global average pooling)."""

    tight: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return (on_map(inputs[0])[0], 1, 1)

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}.mean((2, 3), keepdim=True)",)


@dataclass(frozen=True, slots=True)
class Subsample(Op):
    """Every `stride`-th row and column, from the first."""

    tight: ClassVar[bool] = True
    view: ClassVar[bool] = True
    stride: int

    @property
    def window(self) -> Window:
        return Window(stride=self.stride)

    def shape(self, *inputs: Shape) -> Shape:
        channels, *sides = on_map(inputs[0])
        return (channels, *(-(-side // self.stride) for side in sides))

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}[:, :, ::", Slot("stride", self.stride), ", ::",
                Slot("stride", self.stride), "]")  # fmt: skip
