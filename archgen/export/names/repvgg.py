"""RepVGG in the authors' code (DingXiaoH/RepVGG)."""

from __future__ import annotations

from archgen.export.naming import Naming

BLOCK = {
    "spatial": "rbr_dense.conv",
    "spatial_norm": "rbr_dense.bn",
    "pointwise": "rbr_1x1.conv",
    "pointwise_norm": "rbr_1x1.bn",
    "identity_norm": "rbr_identity",
}


def _repvgg(path: list[str]) -> str:
    match path:
        case ["stem", part]:
            return f"stage0.{BLOCK[part]}"
        case ["stages", stage, unit, part]:
            return f"stage{int(stage) + 1}.{unit}.{BLOCK[part]}"
        case ["head", "linear"]:
            return "linear"
    raise KeyError


REPVGG = Naming(
    "DingXiaoH/RepVGG",
    _repvgg,
    hints={r".+\.rbr_reparam\..+": "these weights are folded: the training form's are needed"},
)
