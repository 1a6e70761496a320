"""ParNet's blocks in their training form (arXiv:2110.07641)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from archgen.blocks.base import Activation, Channels, Eps, Fusion, Narrow, Opening, Stride
from archgen.graph import Map, add
from archgen.ops import Law


class RepVggSse(Narrow, kind="repvgg_sse"):
    """RepVGG with skip-squeeze-excitation (arXiv:2110.07641, section 3.1).

    Where the shape stays: 3x3 + 1x1 + gated identity; the gate reads the normalised input.
    Where it changes, ParNet's downsampling block: 3x3 + average-pooled 1x1, their sum
    gated by the input and doubled, so that the gate starts near 1.
    """

    stride: Opening[Stride] = 1
    eps: Eps = 1e-5
    act: Activation = "silu"

    def build(self, x: Map, out: int) -> Map:
        if self.stride > 1 or out != x.channels:
            return _reshaping(x, out, self.stride, 1, self.eps)
        skip = x.norm("identity_norm", self.eps)
        wide = x.conv("spatial", out, 3).norm("spatial_norm", self.eps)
        point = x.conv("pointwise", out).norm("pointwise_norm", self.eps)
        return add([wide, point, skip * skip.gate("gate")])

    def leave(self, y: Map) -> Map:
        return y.act(self.act)


class ParNetFuse(Fusion, kind="parnet_fuse"):
    """Two maps, normalised and interleaved, through a grouped downsampling block and a shuffle.

    The first map (the stream of lower resolution) takes the even channels
    (arXiv:2110.07641, section 3.1). In a ``streams`` node, width and stride follow from
    the stream that comes next.
    """

    width: Channels | None = Field(None, description="output channels; by default the first map's")
    stride: Stride = 1
    eps: Eps = 1e-5
    act: Activation = "silu"

    def build(self, maps: Sequence[Map]) -> Map:
        if len(maps) != 2:
            raise Law(f"reads two maps, not {len(maps)}", "from")
        stream, fused = maps
        if stream.channels != fused.channels:
            raise Law(f"{stream.channels} and {fused.channels} channels cannot interleave", "from")
        x = stream.norm("stream_norm", self.eps).cat(fused.norm("fused_norm", self.eps))
        y = _reshaping(x.shuffle(2), self.width or stream.channels, self.stride, 2, self.eps)
        return y.act(self.act).shuffle(2)


def _reshaping(x: Map, out: int, stride: int, groups: int, eps: float) -> Map:
    wide = x.conv("spatial", out, 3, stride=stride, groups=groups).norm("spatial_norm", eps)
    pooled = x.avg_pool(stride, stride) if stride > 1 else x
    point = pooled.conv("pointwise", out, groups=groups).norm("pointwise_norm", eps)
    return (wide + point) * x.gate("gate", groups=groups, out=out) * 2.0
