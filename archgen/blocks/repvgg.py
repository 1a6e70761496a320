"""RepVGG's block in its training form (arXiv:2101.03697)."""

from __future__ import annotations

from archgen.blocks.base import Activation, Dilation, Eps, Groups, Narrow, Opening, Stride
from archgen.graph import Map, add


class RepVgg(Narrow, kind="repvgg"):
    """3x3 + 1x1 + identity, a norm on each, summed; activation last (arXiv:2101.03697, Fig. 2).

    The identity is there where the shape does not change.
    """

    stride: Opening[Stride] = 1
    dilation: Dilation = 1
    groups: Groups = 1
    eps: Eps = 1e-5
    act: Activation = "relu"

    def build(self, x: Map, out: int) -> Map:
        wide = x.conv(
            "spatial", out, 3, stride=self.stride, dilation=self.dilation, groups=self.groups
        ).norm("spatial_norm", self.eps)
        point = x.conv("pointwise", out, stride=self.stride, groups=self.groups)
        maps = [wide, point.norm("pointwise_norm", self.eps)]
        if x.shape == wide.shape:
            maps.append(x.norm("identity_norm", self.eps))
        return add(maps)

    def leave(self, y: Map) -> Map:
        return y.act(self.act)
