"""Pre-activation units: He et al. 2016, Wide ResNet, Dual Path Networks, PyramidNet."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from archgen.blocks.base import (
    Activation,
    Channels,
    Dilation,
    Eps,
    Grouped,
    Opening,
    Probability,
    Stride,
    Wide,
)
from archgen.graph import Map


class BasicPreact(Wide, kind="basic_preact"):
    """Two 3x3 convolutions, each behind norm and activation (arXiv:1603.05027, Fig. 1b).

    With a dropout between the convolutions it is the unit of Wide ResNet (arXiv:1605.07146).
    """

    activated: ClassVar[bool] = True
    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    dropout: Probability = 0.0
    eps: Eps = 1e-5
    act: Activation = "relu"

    def enter(self, x: Map) -> Map:
        return x.norm("norm1", self.eps).act(self.act)

    def build(self, x: Map, out: int) -> Map:
        y = x.conv("conv1", self.inner, 3, stride=self.stride, dilation=self.dilation)
        y = y.norm("norm2", self.eps).act(self.act).dropout("dropout", self.dropout)
        return y.conv("conv2", out, 3, dilation=self.dilation)


class BottleneckPreact(Grouped, kind="bottleneck_preact"):
    """1x1 reduce, 3x3 spatial, 1x1 expand, each behind norm and activation (arXiv:1603.05027).

    Under a dual join this is the unit of Dual Path Networks (arXiv:1707.01629).
    """

    activated: ClassVar[bool] = True
    expand: Channels = Field(4, description="output channels over width")
    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def enter(self, x: Map) -> Map:
        return x.norm("reduce_norm", self.eps).act(self.act)

    def build(self, x: Map, out: int) -> Map:
        return self._spatial(x).conv("expand", out)

    def _spatial(self, x: Map) -> Map:
        y = x.conv("reduce", self.inner).norm("spatial_norm", self.eps).act(self.act)
        y = y.conv(
            "spatial",
            self.inner,
            3,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y.norm("expand_norm", self.eps).tap("spatial").act(self.act)


class BottleneckPreactSplit(BottleneckPreact, kind="bottleneck_preact_split"):
    """`bottleneck_preact` with one 1x1 expansion for each part of the output (DPN-68b).

    Without a dual join there is one part and no difference.
    """

    def build_parts(self, x: Map, parts: tuple[int, ...]) -> list[Map]:
        y = self._spatial(x)
        return [y.conv(f"expand{index}", part) for index, part in enumerate(parts, 1)]


class BasicPyramid(Wide, kind="basic_pyramid"):
    """norm, 3x3, norm, activation, 3x3, norm: PyramidNet's unit (arXiv:1610.02915, Fig. 6d).

    No activation before the first convolution and none after the join.
    """

    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        y = x.norm("norm1", self.eps)
        y = y.conv("conv1", self.inner, 3, stride=self.stride, dilation=self.dilation)
        y = y.norm("norm2", self.eps).act(self.act)
        return y.conv("conv2", out, 3, dilation=self.dilation).norm("norm3", self.eps)


class BottleneckPyramid(Grouped, kind="bottleneck_pyramid"):
    """norm, 1x1, norm, act, 3x3, norm, act, 1x1, norm: PyramidNet's bottleneck (arXiv:1610.02915).

    No activation before the first convolution and none after the join.
    """

    expand: Channels = Field(4, description="output channels over width")
    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        y = x.norm("reduce_norm", self.eps).conv("reduce", self.inner)
        y = y.norm("spatial_norm", self.eps).act(self.act)
        y = y.conv(
            "spatial",
            self.inner,
            3,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        y = y.norm("expand_norm", self.eps).tap("spatial").act(self.act)
        return y.conv("expand", out).norm("out_norm", self.eps)
