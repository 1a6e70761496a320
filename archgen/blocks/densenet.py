"""DenseNet's layers and transition (arXiv:1608.06993)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from archgen.blocks.base import (
    Activation,
    Channels,
    Dilation,
    Eps,
    Layer,
    Narrow,
    Probability,
)
from archgen.graph import Map


class DenseLayer(Narrow, kind="dense_layer"):
    """norm, activation, 3x3: DenseNet's plain layer. Under a concat join it gives `grow`."""

    activated: ClassVar[bool] = True
    dilation: Dilation = 1
    dropout: Probability = 0.0
    eps: Eps = 1e-5
    act: Activation = "relu"

    def enter(self, x: Map) -> Map:
        return x.norm("norm", self.eps).act(self.act)

    def build(self, x: Map, out: int) -> Map:
        y = x.conv("conv", out, 3, dilation=self.dilation)
        return y.dropout("dropout", self.dropout)


class DenseBottleneck(Narrow, kind="dense_bottleneck"):
    """norm, activation, 1x1 to bottleneck * out, norm, activation, 3x3: DenseNet-BC's layer."""

    activated: ClassVar[bool] = True
    bottleneck: Channels = Field(4, description="channels of the 1x1 over the output's")
    dilation: Dilation = 1
    dropout: Probability = 0.0
    eps: Eps = 1e-5
    act: Activation = "relu"

    def enter(self, x: Map) -> Map:
        return x.norm("reduce_norm", self.eps).act(self.act)

    def build(self, x: Map, out: int) -> Map:
        y = x.conv("reduce", self.bottleneck * out).norm("spatial_norm", self.eps).act(self.act)
        y = y.conv("spatial", out, 3, dilation=self.dilation)
        return y.dropout("dropout", self.dropout)


class Transition(Layer, kind="transition"):
    """norm, activation, 1x1 to floor(theta * C), 2x2 average pool: between dense stages."""

    theta: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="compression factor")
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map) -> Map:
        out = max(1, int(self.theta * x.channels))
        return x.norm("norm", self.eps).act(self.act).conv("conv", out).avg_pool(2, 2)
