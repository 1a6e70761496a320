"""PyramidNet in the authors' PyTorch code (dyhan0920/PyramidNet-PyTorch)."""

from __future__ import annotations

from archgen.export.names.torchvision import STEM
from archgen.export.naming import Naming

UNIT = {
    "norm1": "bn1",
    "conv1": "conv1",
    "norm2": "bn2",
    "conv2": "conv2",
    "norm3": "bn3",
    "reduce_norm": "bn1",
    "reduce": "conv1",
    "spatial_norm": "bn2",
    "spatial": "conv2",
    "expand_norm": "bn3",
    "expand": "conv3",
    "out_norm": "bn4",
}


def _pyramidnet(path: list[str]) -> str:
    match path:
        case ["stem", part]:
            return STEM[part]
        case ["stages", stage, unit, part]:
            return f"layer{int(stage) + 1}.{unit}.{UNIT[part]}"
        case ["head", "norm"]:
            return "bn_final"
        case ["head", "linear"]:
            return "fc"
    raise KeyError


PYRAMIDNET = Naming("dyhan0920/PyramidNet-PyTorch", _pyramidnet)
