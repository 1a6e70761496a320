"""Operations that own weights: convolutions, linear layers, norms, weights a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from archgen.ops.base import FLOAT, Law, Op, Param, Shape, Slot, Text, Window, size, sized, slide


@dataclass(frozen=True, slots=True)
class Conv(Op):
    """Square convolution of `inp` to `out` channels."""

    fresh: ClassVar[bool] = True
    weighted: ClassVar[bool] = True
    inp: int
    out: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = False

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def shape(self, *inputs: Shape) -> Shape:
        sized(inputs[0], self.inp)
        if min(self.out, self.kernel, self.stride, self.dilation, self.groups) < 1:
            raise Law("channels, kernel, stride, dilation and groups must be at least 1", "width")
        if self.inp % self.groups or self.out % self.groups:
            raise Law(
                f"{self.inp} -> {self.out} channels cannot be split into {self.groups} groups",
                "groups",
            )
        tall, wide = slide(inputs[0], self.kernel, self.stride, self.padding, self.dilation)
        return self.out, tall, wide

    def params(self) -> tuple[Param, ...]:
        weight = Param("weight", (self.out, self.inp // self.groups, self.kernel, self.kernel))
        return (weight, Param("bias", (self.out,))) if self.bias else (weight,)

    @property
    def param_count(self) -> int:
        bias = self.out if self.bias else 0
        return self.out * (self.inp // self.groups) * self.kernel**2 + bias

    def macs(self, out: Shape) -> int:
        return prod(out) * (self.inp // self.groups) * self.kernel**2

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def module(self) -> Text:
        return (
            "nn.Conv2d(",
            Slot("inp", self.inp),
            ", ",
            Slot("out", self.out),
            ", ",
            Slot("kernel", self.kernel),
            Slot("stride", self.stride, ", stride=", 1),
            Slot("padding", self.padding, ", padding=", 0),
            Slot("dilation", self.dilation, ", dilation=", 1),
            Slot("groups", self.groups, ", groups=", 1),
            ")" if self.bias else ", bias=False)",
        )


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """Fully connected layer over a vector."""

    fresh: ClassVar[bool] = True
    weighted: ClassVar[bool] = True
    inp: int
    out: int
    bias: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        if inputs[0] != (self.inp,):
            raise Law(f"needs a vector of {self.inp}, not {size(inputs[0])}")
        return (self.out,)

    def params(self) -> tuple[Param, ...]:
        weight = Param("weight", (self.out, self.inp))
        return (weight, Param("bias", (self.out,))) if self.bias else (weight,)

    @property
    def param_count(self) -> int:
        return self.out * self.inp + (self.out if self.bias else 0)

    def macs(self, out: Shape) -> int:
        return self.out * self.inp

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def module(self) -> Text:
        return (
            "nn.Linear(",
            Slot("inp", self.inp),
            ", ",
            Slot("out", self.out),
            ")" if self.bias else ", bias=False)",
        )


@dataclass(frozen=True, slots=True)
class Norm(Op):
    """Batch normalisation."""

    fresh: ClassVar[bool] = True
    channels: int
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        return sized(inputs[0], self.channels)

    def params(self) -> tuple[Param, ...]:
        return _gamma_beta(self.channels, self.affine)

    @property
    def param_count(self) -> int:
        return 2 * self.channels if self.affine else 0

    @property
    def buffer_count(self) -> int:
        return 2 * self.channels

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def saves_besides(self, out: Shape, batch: int, value: int = FLOAT) -> int:
        return 2 * self.channels * FLOAT  # mean and inverse deviation over the batch

    def module(self) -> Text:
        return (
            "nn.BatchNorm2d(",
            Slot("channels", self.channels),
            Slot("eps", self.eps, ", eps=", 1e-5),
            Slot("momentum", self.momentum, ", momentum=", 0.1),
            ")" if self.affine else ", affine=False)",
        )


@dataclass(frozen=True, slots=True)
class GroupNorm(Op):
    """Group normalisation."""

    fresh: ClassVar[bool] = True
    channels: int
    groups: int
    eps: float = 1e-5
    affine: bool = True

    def shape(self, *inputs: Shape) -> Shape:
        if self.channels % self.groups:
            raise Law(
                f"{self.channels} channels cannot be normalised in {self.groups} groups", "groups"
            )
        channels, height, width = sized(inputs[0], self.channels)
        if channels // self.groups * height * width == 1:
            raise Law(
                f"{size(inputs[0])} in {self.groups} groups is one value each, which cannot be "
                "normalised; use fewer groups or a larger input",
                "groups",
            )
        return inputs[0]

    def params(self) -> tuple[Param, ...]:
        return _gamma_beta(self.channels, self.affine)

    @property
    def param_count(self) -> int:
        return 2 * self.channels if self.affine else 0

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def saves_besides(self, out: Shape, batch: int, value: int = FLOAT) -> int:
        return 2 * batch * self.groups * FLOAT  # mean and inverse deviation

    def scratch(self, operand: Shape, out: Shape, batch: int) -> int:
        return self.saves_besides(out, batch)

    def module(self) -> Text:
        return (
            "nn.GroupNorm(",
            Slot("groups", self.groups),
            ", ",
            Slot("channels", self.channels),
            Slot("eps", self.eps, ", eps=", 1e-5),
            ")" if self.affine else ", affine=False)",
        )


def _gamma_beta(channels: int, affine: bool) -> tuple[Param, ...]:
    if not affine:
        return ()
    return Param("weight", (channels,)), Param("bias", (channels,))


@dataclass(frozen=True, slots=True)
class Weigh(Op):
    """Product with one learned weight a channel, which starts as `start`."""

    fresh: ClassVar[bool] = True
    infix: ClassVar[bool] = True
    tight: ClassVar[bool] = True
    channels: int
    start: float = 1.0

    def shape(self, *inputs: Shape) -> Shape:
        return sized(inputs[0], self.channels)

    def params(self) -> tuple[Param, ...]:
        return (Param("", (self.channels,)),)

    @property
    def param_count(self) -> int:
        return self.channels

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        return (0,)

    def value(self, operands: Sequence[int], low: int) -> int:
        return FLOAT  # the weights stay as they are, and the product is as wide

    def module(self) -> Text:
        return (
            "nn.Parameter(torch.full((",
            Slot("channels", self.channels),
            ",), ",
            Slot("start", self.start),
            "))",
        )

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]} * self.{me}.view(-1, 1, 1)",)
