"""Classifier heads: (C, H, W) -> (classes,)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from archgen.blocks.base import Activation, Eps, Layer, Probability
from archgen.graph import Map


class PoolLinear(Layer, kind="pool_linear"):
    """Global average pool and a linear layer with bias."""

    classes: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    dropout: Probability = 0.0

    def build(self, x: Map) -> Map:
        y = x.mean().flatten().dropout("dropout", self.dropout)
        return y.linear("linear", self.classes)


class NormPoolLinear(PoolLinear, kind="norm_pool_linear"):
    """Norm and activation, then global average pool and linear: behind pre-activation units."""

    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map) -> Map:
        return super().build(x.norm("norm", self.eps).act(self.act))
