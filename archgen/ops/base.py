"""What operations are made of, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]

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


def on_map(shape: Shape) -> tuple[int, int, int]:
    """Give the sides of a map (C, H, W).

    Raises:
        Law: The shape is a vector's.
    """
    if len(shape) != 3:
        raise Law(f"needs a map (C, H, W), not the vector {size(shape)}: is it behind the head?")
    return shape


def sized(shape: Shape, channels: int) -> tuple[int, int, int]:
    """Check that a map has the channels that an operation is made for."""
    if len(shape) != 3:
        return on_map(shape)
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


def slide(
    shape: Shape, kernel: int, stride: int, padding: int, dilation: int, ceil: bool = False
) -> tuple[int, int]:
    """Give height and width of a map after a sliding window.

    Raises:
        Law: The map is too small for it, or a vector.
    """
    _, height, width = on_map(shape)
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
