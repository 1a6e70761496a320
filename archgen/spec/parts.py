"""The parts of a spec as pydantic models: paper, initialisation, nodes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from archgen.columns import MAX_DEPTH
from archgen.joins import SHORTHANDS
from archgen.spec.figure import Figure, Printed

Depth: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DEPTH)]
Sources: TypeAlias = Annotated[list[str], Field(min_length=1)]
Count: TypeAlias = Annotated[Figure, Printed("37.7 M", ("k", "M", "G"))]
Size: TypeAlias = Annotated[Figure, Printed("145 MB", ("MB",))]
Percent: TypeAlias = Annotated[Figure, Printed("20.73 %", ("%",))]
Compared: TypeAlias = Literal["params", "macs", "size", "depth", "resolution", "features"]
Reasons: TypeAlias = dict[Compared, Annotated[str, Field(min_length=1)]]
config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Errors(BaseModel):
    """Error rates as published; archgen trains no network for that long, and compares none."""

    model_config = config
    imagenet_top1: Percent | None = Field(None, description="224x224, one crop")
    imagenet_top5: Percent | None = Field(None, description="224x224, one crop")
    imagenet_320_top1: Percent | None = Field(None, description="320x320, one crop")
    imagenet_320_top5: Percent | None = Field(None, description="320x320, one crop")
    imagenet_320_meanmax_top1: Percent | None = Field(None, description="with mean-max pooling")
    imagenet_320_meanmax_top5: Percent | None = Field(None, description="with mean-max pooling")
    cifar10: Percent | None = None
    cifar100: Percent | None = None


class Published(BaseModel):
    """Figures that the paper, or the authors' repository, gives for this network, as printed."""

    model_config = config
    form: Literal["training", "deploy"] = Field(
        "training", description="which form params and macs count: deploy is the folded one"
    )
    params: Count | None = Field(None, description="parameters")
    macs: Count | None = Field(None, description="multiply-accumulates (papers' FLOPs)")
    size: Size | None = Field(None, description="of the file: parameters and running statistics")
    depth: PositiveInt | None = Field(None, description="weighted layers on the main path")
    resolution: PositiveInt | None = Field(None, description="side of the last map, in pixels")
    features: PositiveInt | None = Field(None, description="channels of the last map")
    errors: Errors = Errors()
    differs: Reasons = Field({}, description="why figures are not the exact ones, rounded")
    unexplained: Reasons = Field({}, description="what is known of those that nothing explains")

    @model_validator(mode="after")
    def _reasons_have_figures(self) -> Self:
        for key in [*self.differs, *self.unexplained]:
            if getattr(self, key) is None:
                raise ValueError(f"there is a reason for {key}, but no figure: add it or drop that")
        return self


class Paper(BaseModel):
    """Where the network comes from."""

    model_config = config
    title: str
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    published: Published = Published()
    note: str = Field("", description="choices that are ours, and disagreements explained")


class Init(BaseModel):
    """How weights start; norms start as 1 and 0."""

    model_config = config
    conv: Literal["he_fan_out", "he_fan_in", "default"] = Field(
        "he_fan_out", description="normal with variance 2 / fan, or PyTorch's default"
    )
    linear: Literal["default", "he_fan_in", "he_fan_out", "normal"] = Field(
        "default", description="PyTorch's default, He normal, or normal with deviation 0.01"
    )
    linear_bias: Literal["default", "zero"] = "default"


class Inner(BaseModel):
    """A block inside a node: ``{block: ..., ...}``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    block: str

    @property
    def fields(self) -> dict[str, Any]:
        """The block's fields as the spec has them."""
        return dict(self.__pydantic_extra__ or {})


class Node(Inner):
    """A block, a list of blocks (`depth` a number) or stages of blocks (`depth` a list).

    All further keys are fields of the block; each may be a column. Written as a mapping,
    ``block`` is a whole unit in one value, laid over the node: ``{block: basic, width: 8}``.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, serialize_by_alias=True)
    from_: str | Sources | None = Field(
        None, alias="from", description="nodes (or stages: `stages.0`) that it reads"
    )
    depth: Depth | list[Depth] | None = Field(None, description="blocks, or blocks a stage")
    shortcut: str | dict[str, Any] = Field("none", description="the join of each unit")
    between: Inner | None = Field(None, description="a block before every stage but the first")
    streams: Annotated[int, Field(ge=1, le=16)] | None = Field(
        None, description="parallel streams over the last maps of `from`"
    )
    down: Inner | None = Field(None, description="block behind the first stream")
    fuse: Inner | None = Field(None, description="block that takes in each further stream")

    @property
    def join(self) -> dict[str, Any]:
        """The shortcut in its long form."""
        return SHORTHANDS[self.shortcut] if isinstance(self.shortcut, str) else self.shortcut

    @property
    def sources(self) -> list[str]:
        """Names in ``from``; empty for the node above."""
        return [self.from_] if isinstance(self.from_, str) else list(self.from_ or [])
