"""Units of ResNet, ResNeXt and Wide ResNet on ImageNet, and of DRN."""

from __future__ import annotations

from pydantic import Field

from archgen.blocks.base import (
    Activation,
    Channels,
    Dilation,
    Eps,
    Grouped,
    Opening,
    Stride,
    Wide,
)
from archgen.graph import Map


class Basic(Wide, kind="basic"):
    """Two 3x3 convolutions, norm after each, activation after the join (arXiv:1512.03385).

    A dilation acts on both convolutions, as in DRN (arXiv:1705.09914).
    """

    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        y = x.conv("conv1", self.inner, 3, stride=self.stride, dilation=self.dilation)
        y = y.norm("norm1", self.eps).act(self.act)
        return y.conv("conv2", out, 3, dilation=self.dilation).norm("norm2", self.eps)

    def leave(self, y: Map) -> Map:
        return y.act(self.act)


class Bottleneck(Grouped, kind="bottleneck"):
    """1x1 reduce, 3x3 spatial, 1x1 expand, norm after each (arXiv:1512.03385).

    The stride is on the 3x3, as the field trains it today. With groups it is the unit of
    ResNeXt (arXiv:1611.05431), with a dilation that of DRN (arXiv:1705.09914).
    """

    expand: Channels = Field(4, description="output channels over width")
    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        y = x.conv("reduce", self.inner).norm("reduce_norm", self.eps).act(self.act)
        y = y.conv(
            "spatial",
            self.inner,
            3,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        y = y.norm("spatial_norm", self.eps).tap("spatial").act(self.act)
        return y.conv("expand", out).norm("expand_norm", self.eps)

    def leave(self, y: Map) -> Map:
        return y.act(self.act)
