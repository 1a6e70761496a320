"""Stems and other plain layers."""

from __future__ import annotations

from archgen.blocks.base import (
    Activation,
    Channels,
    Dilation,
    Eps,
    Groups,
    Kernel,
    Layer,
    Narrow,
    Opening,
    Stride,
)
from archgen.graph import Map


class BareConv(Narrow, kind="conv"):
    """One convolution without norm: the CIFAR stem of pre-activation networks and DenseNet."""

    kernel: Kernel = 3
    stride: Opening[Stride] = 1

    def build(self, x: Map, out: int) -> Map:
        return x.conv("conv", out, self.kernel, stride=self.stride)


class ConvNorm(Narrow, kind="conv_norm"):
    """Convolution, norm, activation: ResNet's CIFAR stem and DRN-D's plain levels."""

    kernel: Kernel = 3
    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    groups: Groups = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        y = x.conv(
            "conv",
            out,
            self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y.norm("norm", self.eps)

    def leave(self, y: Map) -> Map:
        return y.act(self.act)


class ConvPool(Layer, kind="conv_pool"):
    """Convolution, norm, activation, 3x3 max pool with stride 2: the ImageNet stem."""

    width: Channels
    kernel: Kernel = 7
    stride: Stride = 2
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map) -> Map:
        y = x.conv("conv", self.width, self.kernel, stride=self.stride)
        return y.norm("norm", self.eps).act(self.act).max_pool(3, 2, 1)


class BareConvPool(Layer, kind="bare_conv_pool"):
    """Convolution and 3x3 max pool without norm: the other ImageNet stem of pre-activation nets."""

    width: Channels
    kernel: Kernel = 7
    stride: Stride = 2

    def build(self, x: Map) -> Map:
        return x.conv("conv", self.width, self.kernel, stride=self.stride).max_pool(3, 2, 1)
