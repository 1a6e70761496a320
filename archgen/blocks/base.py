"""What a block is: pydantic fields and the operations that it builds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from archgen.graph import Map
from archgen.ops import MAX_DILATION, Law

T = TypeVar("T")


class Opens:
    """Marks a field that acts only in the first block of a stage."""


Opening: TypeAlias = Annotated[T, Opens()]
Channels: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Stride: TypeAlias = Annotated[int, Field(ge=1, le=16)]
Dilation: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DILATION)]
Groups: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Eps: TypeAlias = Annotated[float, Field(gt=0, le=1)]
Probability: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Activation: TypeAlias = Literal[
    "relu", "relu6", "leaky_relu", "elu", "silu", "gelu", "mish", "hardswish", "none"
]


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError("a kernel must be odd, so that padding can keep the size")
    return kernel


Kernel: TypeAlias = Annotated[
    int,
    Field(ge=1, le=31, json_schema_extra={"not": {"multipleOf": 2}}),
    AfterValidator(_odd),
]


class Block(BaseModel):
    """A named transform of feature maps: its fields are what a spec may set.

    A subclass ``class X(Branch, kind="x")`` is known to specs as ``block: x``. Its fields
    hold one block's values; that a spec may give each as a column is the node's business.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Block]]] = {}

    def __init_subclass__(cls, *, kind: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = kind
        if kind:
            if kind in Block.kinds:
                raise TypeError(f"two blocks are called {kind!r}: {Block.kinds[kind]} and {cls}")
            Block.kinds[kind] = cls

    @classmethod
    def opening_fields(cls) -> frozenset[str]:
        """Names of the fields that act only where a stage opens."""
        return frozenset(
            name
            for name, info in cls.model_fields.items()
            if any(isinstance(mark, Opens) for mark in info.metadata)
        )


class Layer(Block):
    """A block with one input that is no residual branch: a stem, transition or head."""

    def build(self, x: Map) -> Map:
        """Write its operations."""
        raise NotImplementedError


class Fusion(Block):
    """A block with several inputs and one output."""

    def build(self, maps: Sequence[Map]) -> Map:
        """Write its operations; `maps` are in the order of ``from``."""
        raise NotImplementedError


class Branch(Block):
    """The transform of a unit; the join decides how it meets what came before.

    A unit is ``leave(join(x, excite(build(enter(x), out))))``. The join hands `build` the number
    of channels that it must produce.
    """

    se: Channels | None = Field(
        None, description="squeeze and excitation: reduction ratio r of its hidden layer"
    )
    activated: ClassVar[bool] = False
    """Whether `enter` normalises and activates, as pre-activation units do."""

    def outlet(self) -> int | None:
        """Output channels that the fields ask for, or None if they leave it to the join."""
        raise NotImplementedError

    def fixed_outlet(self) -> int | None:
        """Output channels if a field does nothing but give them, else None."""
        raise NotImplementedError

    def enter(self, x: Map) -> Map:
        """Prepare the input; joins may read the result (``source: activated``)."""
        return x

    def build(self, x: Map, out: int) -> Map:
        """Write the branch, from what `enter` gave to `out` channels."""
        raise NotImplementedError

    def build_parts(self, x: Map, parts: tuple[int, ...]) -> list[Map]:
        """Write the branch for a join that takes its output in parts: as one map, or one a part."""
        return [self.build(x, sum(parts))]

    def excite(self, maps: Sequence[Map]) -> list[Map]:
        """Gate each channel of what the branch gave, where `se` asks for it.

        Squeeze and excitation (arXiv:1709.01507, section 3): mean over all positions, 1x1
        convolution to C / se channels, ReLU, 1x1 convolution back to C, sigmoid. Both
        convolutions have a bias. Several maps count as one, stacked.
        """
        if self.se is None:
            return list(maps)
        widths = [x.channels for x in maps]
        with maps[0].builder.scope("se", "squeeze_excitation"):
            first, *others = [x.mean() for x in maps]
            y = first.cat(*others) if others else first
            y = y.conv("reduce", max(1, sum(widths) // self.se), bias=True).act()
            gate = y.conv("expand", sum(widths), bias=True).act("sigmoid")
        gates = gate.laid_out(*widths).split()
        return [x * part for x, part in zip(maps, gates, strict=True)]

    def leave(self, y: Map) -> Map:
        """Finish the unit after the join (post-activation units activate here)."""
        return y


class Narrow(Branch):
    """A branch whose width is simply its output's."""

    width: Channels | None = Field(None, description="output channels")

    def outlet(self) -> int | None:
        return self.width

    def fixed_outlet(self) -> int | None:
        return self.width


class Wide(Branch):
    """A branch with an inner width; it gives `out` channels, or width * expand."""

    width: Channels | None = Field(None, description="channels of the 3x3 convolution")
    expand: Channels = Field(1, description="output channels over width")
    out: Channels | None = Field(None, description="output channels, instead of expand")

    @model_validator(mode="after")
    def _one_outlet(self) -> Wide:
        if self.out is not None and "expand" in self.model_fields_set:
            raise ValueError("give either out or expand")
        return self

    @property
    def inner(self) -> int:
        """Channels of the 3x3 convolution."""
        if self.width is None:
            raise Law("needs a width", "width")
        return self.width

    def outlet(self) -> int:
        return self.out or self.inner * self.expand

    def fixed_outlet(self) -> int | None:
        return self.out if self.out or "expand" not in self.model_fields_set else self.outlet()


class Grouped(Wide):
    """A branch with a grouped 3x3 convolution; CxD notation is groups and group_width."""

    groups: Groups = Field(1, description="groups of the 3x3 convolution (cardinality)")
    group_width: Channels | None = Field(
        None, description="channels of a group: width = groups * group_width"
    )

    @model_validator(mode="after")
    def _one_width(self) -> Grouped:
        if self.group_width is not None and self.width is not None:
            raise ValueError("give either width or group_width")
        return self

    @property
    def inner(self) -> int:
        """Channels of the 3x3 convolution."""
        if self.group_width is not None:
            return self.groups * self.group_width
        if self.width is None:
            raise Law("needs a width, or groups and group_width", "width")
        return self.width
