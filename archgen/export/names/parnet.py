"""ParNet in the authors' code (imankgoyal/NonDeepNetworks)."""

from __future__ import annotations

from archgen.export.naming import Naming

BLOCK = {
    "spatial": "rbr_dense.conv",
    "spatial_norm": "rbr_dense.bn",
    "pointwise": "rbr_1x1.conv",
    "pointwise_norm": "rbr_1x1.bn",
    "identity_norm": "rbr_identity",
    "gate": "se.cvsig.conv",
}
POOLED = {"pointwise": "rbr_1x1.1.conv", "pointwise_norm": "rbr_1x1.1.bn"}
"""Where the stride is 2, an average pool stands before the 1x1."""
NORMS = {"stream_norm": "b1", "fused_norm": "b2"}
DOWN = {
    "at2": "inits.0.0",
    "at4": "inits.0.1",
    "at8": "inits.1",
    "at16": "inits.2",
    "at32": "combine.3",
}
STREAM = {"at4": 0, "at8": 1, "at16": 2}


def _parnet(path: list[str]) -> str:
    match path:
        case ["body", "at4_down", part]:
            return f"downsamples_2.0.block.{(BLOCK | POOLED)[part]}"
        case ["body", "at8_fuse", "stream_norm" | "fused_norm" as part]:
            return f"downsamples_2.1.0.{NORMS[part]}"
        case ["body", "at8_fuse", part]:
            return f"downsamples_2.1.2.block.{(BLOCK | POOLED)[part]}"
        case ["body", "at16_fuse", "stream_norm" | "fused_norm" as part]:
            return f"combine.0.{NORMS[part]}"
        case ["body", "at16_fuse", part]:
            return f"combine.2.block.{BLOCK[part]}"
        case ["body", stream, unit, part]:
            return f"streams.{STREAM[stream]}.{unit}.block.{BLOCK[part]}"
        case [node, part] if node in DOWN:
            return f"{DOWN[node]}.block.{(BLOCK | POOLED)[part]}"
        case ["head", "linear"]:
            return "head.fc"
    raise KeyError


PARNET = Naming("imankgoyal/NonDeepNetworks", _parnet)
