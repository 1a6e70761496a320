"""The closed set of primitive operations that every network is lowered to.

An operation knows the shape that it gives, the law that its operands must keep, the
parameters that it owns, its multiply-accumulates (MACs), what autograd saves for it and its
source text in PyTorch. It knows no block and imports no torch. Shapes leave the batch out:
``(C, H, W)`` for a map, ``(C,)`` for a vector.

============ ======================================================================
Input        the network's input
Conv         square 2-d convolution, optionally grouped and dilated
Linear       matrix product of a vector
Norm         batch normalisation over a map (owns gamma and beta, running statistics)
GroupNorm    group normalisation over a map
Act          pointwise non-linearity
Pool         max or average pooling over square windows
Frame        pixels of -inf around a map that a max pool reads
DilatedPool  mean over dilated windows that read zeros past the edge
Mean         mean over all positions: (C, H, W) -> (C, 1, 1)
Flatten      a map as a vector: (C, 1, 1) -> (C,)
Dropout      dropout of single values
Add          sum of maps of one shape
Mul          product of a map with a map or with a (C, 1, 1) gate
Times        product with a constant
Weigh        product with one learned weight a channel (a bare parameter)
Cat          maps stacked along channels
Slice        a range of channels
Shuffle      channel shuffle over groups (interleaves the halves of a pair)
Pad          zero channels before and after
Subsample    every s-th row and column
============ ======================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]
ActKind: TypeAlias = Literal[
    "relu", "relu6", "leaky_relu", "elu", "silu", "gelu", "mish", "hardswish", "sigmoid"
]

MAX_DILATION = 64
"""Largest dilation that a field or a pass may ask for."""
FLOAT, INDEX = 4, 8
"""Bytes of a float32 value and of a pooling index."""


class Law(Exception):  # noqa: N818 - a law that is broken, named as people say it
    """An operation refuses its operands; the graph adds the path.

    Args:
        message: The values and the law that they break.
        field: The name of the spec's field that most likely causes it, or "".
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Slot(NamedTuple):
    """A number inside source text that a constructor argument may take the place of.

    Args:
        role: What a reader calls it, an identifier.
        value: The number here.
        keyword: Text before it (``"stride="``); with a default it is left out together
            with the number where every instance of a class has the default.
        default: PyTorch's own default, or None.
    """

    role: str
    value: int | float
    keyword: str = ""
    default: int | float | None = None


Text: TypeAlias = tuple[str | Slot, ...]


class Param(NamedTuple):
    """A learned tensor of an operation.

    Args:
        suffix: Its name below the operation's path; "" if the path is the parameter.
        shape: Its shape.
    """

    suffix: str
    shape: Shape


class Window(NamedTuple):
    """What a pixel reads along each axis of the map before it.

    Pixel i reads `kernel` entries, `dilation` apart; the first is ``i * stride - padding``.
    """

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Pixels from the first entry to the last."""
        return self.dilation * (self.kernel - 1)


POINT = Window()
"""What a pixel reads of a map of the same size: the pixel in its own place."""


def size(shape: Shape) -> str:
    """Write a shape as people do: ``64x32x32``."""
    return "x".join(map(str, shape))


def _map(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise Law(f"needs a map (C, H, W), not the vector {size(shape)}: is it behind the head?")
    return shape


def _sized(shape: Shape, channels: int) -> tuple[int, int, int]:
    """Check that a map has the channels that an operation is made for."""
    if len(shape) != 3:
        return _map(shape)
    if shape[0] != channels:
        raise Law(f"is made for {channels} channels, not for {size(shape)}")
    return shape


def _window(length: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """Length after a sliding window, by PyTorch's formula, ceil mode included."""
    reach = length + 2 * padding - dilation * (kernel - 1) - 1
    out = (-(-reach // stride) if ceil else reach // stride) + 1
    if ceil and (out - 1) * stride >= length + padding:
        out -= 1
    return out


def _slide(
    shape: Shape, kernel: int, stride: int, padding: int, dilation: int, ceil: bool = False
) -> tuple[int, int]:
    _, height, width = _map(shape)
    tall = _window(height, kernel, stride, padding, dilation, ceil)
    wide = tall if width == height else _window(width, kernel, stride, padding, dilation, ceil)
    if tall < 1 or wide < 1:
        spaced = f" dilated by {dilation}" if dilation > 1 else ""
        raise Law(
            f"a {height}x{width} map is too small for a {kernel}x{kernel} window{spaced} "
            f"with stride {stride} and padding {padding}; use a larger input or fewer strides",
            "stride",
        )
    return tall, wide


class Op:
    """What all operations share; each subclass is a frozen dataclass."""

    __slots__ = ()
    fresh: ClassVar[bool] = False
    """Whether the output is a new tensor that autograd does not save: it may be overwritten."""
    infix: ClassVar[bool] = False
    """Whether the expression is a sum or product, which others must put in brackets."""
    tight: ClassVar[bool] = False
    """Whether the expression binds to its operands without brackets of its own."""
    weighted: ClassVar[bool] = False
    """Whether the field counts it as a layer of depth (convolution, linear).

    Autocast runs these in the lower precision, and casts their operand and weights for it.
    """
    view: ClassVar[bool] = False
    """Whether the output lies in its operand's memory."""

    @property
    def window(self) -> Window:
        """What a pixel of the output reads of each operand; not asked behind a mean."""
        return POINT

    def shape(self, *inputs: Shape) -> Shape:
        """Give the output's shape; raise `Law` where the operands do not fit."""
        return inputs[0]

    def params(self) -> tuple[Param, ...]:
        """Give the learned tensors."""
        return ()

    @property
    def param_count(self) -> int:
        """Number of learned scalars."""
        return 0

    @property
    def buffer_count(self) -> int:
        """Number of stored scalars that are not learned (running mean and variance)."""
        return 0

    def macs(self, out: Shape) -> int:
        """Multiply-accumulates for one image, given the output's shape (bias not counted)."""
        return 0

    def saves(self, needs: Sequence[bool]) -> tuple[int, ...]:
        """Give the positions of the operands that autograd saves.

        Asked only where the output needs a gradient; `needs` says which operands do.
        """
        return ()

    @property
    def saves_output(self) -> bool:
        """Whether autograd saves the output."""
        return False

    def saves_besides(self, out: Shape, batch: int, value: int = FLOAT) -> int:
        """Bytes that autograd saves beside operands and output.

        `value` is what a value of the operand takes.
        """
        return 0

    def value(self, operands: Sequence[int], low: int) -> int:
        """Bytes of a value of the output under autocast to a precision of `low` bytes.

        `operands` are those of a value of each operand.
        """
        return low if self.weighted else max(operands)

    def scratch(self, operand: Shape, out: Shape, batch: int) -> int:
        """Bytes of the tensors that it makes beside its output, at its worst, in inference."""
        return 0

    def module(self) -> Text | None:
        """Give the constructor of the `nn.Module` (or parameter) that it owns, if any."""
        return None

    def expr(self, args: Sequence[str], me: str) -> Text:
        """Give the expression over the operands' names; `me` is its attribute on ``self``."""
        return (f"self.{me}({args[0]})",)


@dataclass(frozen=True, slots=True)
class Input(Op):
    """The network's input."""

    dims: Shape

    def shape(self, *inputs: Shape) -> Shape:
        return self.dims


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
        _sized(inputs[0], self.inp)
        if min(self.out, self.kernel, self.stride, self.dilation, self.groups) < 1:
            raise Law("channels, kernel, stride, dilation and groups must be at least 1", "width")
        if self.inp % self.groups or self.out % self.groups:
            raise Law(
                f"{self.inp} -> {self.out} channels cannot be split into {self.groups} groups",
                "groups",
            )
        tall, wide = _slide(inputs[0], self.kernel, self.stride, self.padding, self.dilation)
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
        return _sized(inputs[0], self.channels)

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
        channels, height, width = _sized(inputs[0], self.channels)
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
        sides = _slide(inputs[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil)
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
        channels, *sides = _map(inputs[0])
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
        channels, *sides = _map(inputs[0])
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
        return (_map(inputs[0])[0], 1, 1)

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}.mean((2, 3), keepdim=True)",)


@dataclass(frozen=True, slots=True)
class Flatten(Op):
    """A map as a vector: (C, H, W) -> (C * H * W,)."""

    tight: ClassVar[bool] = True
    view: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}.flatten(1)",)


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


@dataclass(frozen=True, slots=True)
class Weigh(Op):
    """Product with one learned weight a channel, which starts as `start`."""

    fresh: ClassVar[bool] = True
    infix: ClassVar[bool] = True
    tight: ClassVar[bool] = True
    channels: int
    start: float = 1.0

    def shape(self, *inputs: Shape) -> Shape:
        return _sized(inputs[0], self.channels)

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


@dataclass(frozen=True, slots=True)
class Cat(Op):
    """Maps of one size stacked along channels."""

    fresh: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        for other in inputs:
            if _map(other)[1:] != inputs[0][1:]:
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
        channels = _map(inputs[0])[0]
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
        if _map(inputs[0])[0] % self.groups:
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
        channels, height, width = _map(inputs[0])
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
class Subsample(Op):
    """Every `stride`-th row and column, from the first."""

    tight: ClassVar[bool] = True
    view: ClassVar[bool] = True
    stride: int

    @property
    def window(self) -> Window:
        return Window(stride=self.stride)

    def shape(self, *inputs: Shape) -> Shape:
        channels, *sides = _map(inputs[0])
        return (channels, *(-(-side // self.stride) for side in sides))

    def expr(self, args: Sequence[str], me: str) -> Text:
        return (f"{args[0]}[:, :, ::", Slot("stride", self.stride), ", ::",
                Slot("stride", self.stride), "]")  # fmt: skip
