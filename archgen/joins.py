"""Joins: how the branch of a unit meets what came before it.

A join is owned by the stack, so that any branch works under any join. It sees the unit's
input and the history of the stage, and hands the branch the width that it must produce.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archgen.blocks.base import Branch, Channels, Groups
from archgen.graph import Map, add
from archgen.ops import Law


@dataclass
class Stage:
    """What a join remembers while it goes through the units of one stage."""

    maps: list[Map] = field(default_factory=list)
    """Sources of dense shortcuts so far."""
    inner: list[Map] = field(default_factory=list)
    """Sources of dense shortcuts at the 3x3 convolution so far."""


class Join(BaseModel):
    """How branch and shortcut become one map. Fields may be columns in a spec."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    kind: ClassVar[str] = ""
    kinds: ClassVar[dict[str, type[Join]]] = {}

    def __init_subclass__(cls, *, kind: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind in Join.kinds:
            raise TypeError(f"two joins are called {kind!r}: {Join.kinds[kind]} and {cls}")
        cls.kind = kind
        Join.kinds[kind] = cls

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        """Write one unit.

        Args:
            branch: Its transform.
            x: Its input.
            stage: The history of its stage; empty in the stage's first unit.

        Raises:
            Law: The branch or the widths have no meaning under this join.
        """
        raise NotImplementedError


def _outlet(branch: Branch) -> int:
    out = branch.outlet()
    if out is None:
        raise Law("needs a width", "width")
    return out


def _built(branch: Branch, x: Map, out: int) -> Map:
    """Write a branch behind its `enter`, and see that it gives what the join asked for."""
    y = branch.build(x, out)
    if y.channels != out:
        raise Law(f"block {branch.kind!r} gives {y.channels} channels where {out} are asked for")
    return branch.excite([y])[0]


def _stride(branch: Branch) -> int:
    return int(getattr(branch, "stride", 1))


def _eps(branch: Branch) -> float:
    return float(getattr(branch, "eps", 1e-5))


def _widen(x: Map, out: int, side: str = "end") -> Map:
    """Append zero channels up to `out`."""
    more = out - x.channels
    if more < 0:
        raise Law(
            f"zero channels cannot narrow {x.channels} to {out}; use a convolution", "shortcut"
        )
    before = more // 2 if side == "both" else 0
    return x.pad(before, more - before)


class Alone(Join, kind="none"):
    """No shortcut: the branch alone (DRN's degridding levels, plain networks, RepVGG)."""

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        return branch.leave(_built(branch, branch.enter(x), _outlet(branch)))


class Additive(Join, kind="add"):
    """The branch plus the input; where the shape changes, plus a matched input.

    down: what meets a stride: a 1x1 convolution, a ceil-mode average pool (PyramidNet), or
    every s-th pixel (ResNet's option A, arXiv:1512.03385, section 4.2). widen: what meets new
    channels: the convolution or zeros. source: whether the convolution reads the unit's
    input (norm behind it) or the activated input of a pre-activation unit (no norm).
    """

    down: Literal["conv", "avg_pool", "subsample"] = "conv"
    widen: Literal["conv", "zeros"] = "conv"
    side: Literal["both", "end"] = Field("end", description="where zero channels go")
    source: Literal["input", "activated"] = "input"

    @model_validator(mode="after")
    def _all_fields_act(self) -> Additive:
        if "side" in self.model_fields_set and self.widen != "zeros":
            raise ValueError("side acts only with widen: zeros")
        if self.source == "activated" and self.widen == "zeros" and self.down != "conv":
            raise ValueError("source: activated acts only where a convolution is used")
        return self

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        if self.source == "activated" and not branch.activated:
            raise Law(
                f"block {branch.kind!r} has no activated input; use source: input", "shortcut"
            )
        entered = branch.enter(x)
        y = _built(branch, entered, _outlet(branch))
        if y.shape == x.shape:
            return branch.leave(y + x)
        source = entered if self.source == "activated" else x
        return branch.leave(y + self._match(source, y.channels, branch))

    def _match(self, x: Map, out: int, branch: Branch) -> Map:
        stride = _stride(branch)
        if self.down == "avg_pool" and stride > 1:
            x, stride = x.avg_pool(stride, stride, ceil=True), 1
        elif self.down == "subsample":
            x, stride = x.subsample(stride), 1
        if self.widen == "zeros" and stride == 1:
            return _widen(x, out, self.side)
        if out == x.channels and stride == 1:
            return x
        return _project(x, out, stride, _eps(branch), norm=self.source == "input")


def _project(x: Map, out: int, stride: int, eps: float, *, norm: bool) -> Map:
    with x.builder.scope("shortcut", "projection"):
        y = x.conv("conv", out, stride=stride)
        return y.norm("norm", eps) if norm else y


class Concatenated(Join, kind="concat"):
    """The input with `grow` new channels behind it (DenseNet, arXiv:1608.06993)."""

    grow: Channels = Field(description="channels that each unit adds (growth rate k)")

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        if branch.fixed_outlet() is not None:
            raise Law("under join 'concat' a unit's output is `grow`; give no other", "shortcut")
        return x.cat(branch.leave(_built(branch, branch.enter(x), self.grow)))


class Dual(Join, kind="dual"):
    """A residual and a dense path side by side, ``[residual | dense]`` (arXiv:1707.01629).

    The branch gives ``out + grow`` channels: the first are added to the residual path, the
    rest appended to the dense one. Where a stage opens, a projection of the whole input
    gives ``out + 2 * grow``. Where the residual path widens inside a stage, zeros or a 1x1
    convolution of the residual part meet it and the dense path stays.
    """

    grow: Channels = Field(description="channels that each unit adds to the dense path")
    widen: Literal["zeros", "conv"] = "zeros"

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        out = _outlet(branch)
        if not stage.maps or _stride(branch) > 1:
            residual, dense = self._open(branch, x, out)
        else:
            residual, dense = stage.maps[-1].split()
            if residual.channels != out:
                residual = self._grow(branch, residual, out)
        y, new = self._built(branch, branch.enter(x), (out, self.grow))
        z = branch.leave((residual + y).cat(dense, new))
        z = z.laid_out(out, dense.channels + self.grow)
        stage.maps = [z]
        return z

    def _built(self, branch: Branch, x: Map, parts: tuple[int, int]) -> list[Map]:
        maps = branch.build_parts(x, parts)
        if [y.channels for y in maps] not in ([sum(parts)], list(parts)):
            raise Law(f"block {branch.kind!r} does not give the {sum(parts)} channels asked")
        maps = branch.excite(maps)
        return maps if len(maps) == len(parts) else maps[0].laid_out(*parts).split()

    def _open(self, branch: Branch, x: Map, out: int) -> list[Map]:
        wide = out + 2 * self.grow
        if branch.activated:
            with x.builder.scope("shortcut", "projection"):
                y = x.norm("norm", _eps(branch)).act(getattr(branch, "act", "relu"))
                y = y.conv("conv", wide, stride=_stride(branch))
        else:
            y = _project(x, wide, _stride(branch), _eps(branch), norm=True)
        return y.laid_out(out, 2 * self.grow).split()

    def _grow(self, branch: Branch, residual: Map, out: int) -> Map:
        if self.widen == "zeros":
            return _widen(residual, out)
        return _project(residual, out, 1, _eps(branch), norm=not branch.activated)


class Dense(Join, kind="dense"):
    """The branch plus every earlier map of the stage, each normalised and weighted.

    DSNet's dense weighted normalized shortcuts (arXiv:2010.12496): with R_0 the stage's
    input (projected where the shape changes), unit k gives
    ``leave(y_k + sum_j w_kj * norm_kj(R_j))`` for j = 0..k. The weights hold one entry a
    channel; the nearest starts as 1 and the others as 0, so that training starts from a
    normalised ResNet (our choice: the paper's is not known). A narrower R_j is widened
    with zeros behind its weight.
    """

    taps: Literal["branch", "block"] = Field(
        "branch", description="what later units see: the branch's output, or the unit's"
    )
    norm: Literal["batch", "group", "none"] = "batch"
    affine: bool = Field(True, description="whether the norms learn gamma and beta")
    groups: Groups = Field(32, description="groups of norm: group")
    weight: bool = Field(True, description="whether shortcuts have weights")
    inner: bool = Field(False, description="DS2Net: shortcuts also between the 3x3 outputs")

    @model_validator(mode="after")
    def _all_fields_act(self) -> Dense:
        if "groups" in self.model_fields_set and self.norm != "group":
            raise ValueError("groups acts only with norm: group")
        if "affine" in self.model_fields_set and self.norm == "none":
            raise ValueError("affine acts only with a norm")
        return self

    def unit(self, branch: Branch, x: Map, stage: Stage) -> Map:
        y = self._branch(branch, x, stage)
        if not stage.maps:
            same = x.shape == y.shape
            first = x if same else _project(x, y.channels, _stride(branch), _eps(branch), norm=True)
            stage.maps.append(first)
        starts = [0.0] * (len(stage.maps) - 1) + [1.0]
        z = branch.leave(self._sum(y, stage.maps, starts, "dense"))
        stage.maps.append(y if self.taps == "branch" else z)
        return z

    def _branch(self, branch: Branch, x: Map, stage: Stage) -> Map:
        if not self.inner:
            return _built(branch, branch.enter(x), _outlet(branch))
        seen: list[Map] = []

        def meet(u: Map) -> Map:
            v = self._sum(u, stage.inner, [0.0] * len(stage.inner), "inner")
            seen.append(u if self.taps == "branch" else v)
            return v

        taps = x.builder.taps
        taps["spatial"] = meet
        try:
            y = _built(branch, branch.enter(x), _outlet(branch))
        finally:
            del taps["spatial"]
        if not seen:
            raise Law(
                f"block {branch.kind!r} has no inner 3x3 map for inner: true; use a bottleneck",
                "shortcut",
            )
        stage.inner += seen
        return y

    def _sum(self, y: Map, sources: Sequence[Map], starts: Sequence[float], scope: str) -> Map:
        if not sources:
            return y
        with y.builder.scope(scope, f"{scope}_shortcuts"):
            terms = [
                _widen(self._weighted(source, index, start), y.channels)
                for index, (source, start) in enumerate(zip(sources, starts, strict=True))
            ]
            return add([y, *terms])

    def _weighted(self, x: Map, index: int, start: float) -> Map:
        if self.norm == "batch":
            x = x.norm(f"norm{index}", affine=self.affine)
        elif self.norm == "group":
            x = x.group_norm(f"norm{index}", self.groups, affine=self.affine)
        return x.weigh(f"weight{index}", start) if self.weight else x


SHORTHANDS: dict[str, dict[str, Any]] = {
    "none": {"join": "none"},
    "projection": {"join": "add"},
    "zero_pad": {"join": "add", "down": "subsample", "widen": "zeros", "side": "both"},
}
"""Plain words for ``shortcut:``."""
