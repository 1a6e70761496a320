"""DPN, RepVGG and pre-activation ResNet in timm."""

from __future__ import annotations

from archgen.export.naming import Naming

DPN_UNIT = {
    "reduce_norm": "c1x1_a.bn",
    "reduce": "c1x1_a.conv",
    "spatial_norm": "c3x3_b.bn",
    "spatial": "c3x3_b.conv",
    "expand_norm": "c1x1_c.bn",
    "expand": "c1x1_c.conv",
    "expand1": "c1x1_c1",
    "expand2": "c1x1_c2",
}
REPVGG_BLOCK = {
    "spatial": "conv_kxk.conv",
    "spatial_norm": "conv_kxk.bn",
    "pointwise": "conv_1x1.conv",
    "pointwise_norm": "conv_1x1.bn",
    "identity_norm": "identity",
}
PREACT_UNIT = {
    "norm1": "norm1",
    "conv1": "conv1",
    "norm2": "norm2",
    "conv2": "conv2",
    "reduce_norm": "norm1",
    "reduce": "conv1",
    "spatial_norm": "norm2",
    "spatial": "conv2",
    "expand_norm": "norm3",
    "expand": "conv3",
    "shortcut.conv": "downsample.conv",
}


def _dpn(path: list[str]) -> str:
    match path:
        case ["stem", "conv" | "norm" as part]:
            return f"features.conv1_1.{'bn' if part == 'norm' else part}"
        case ["stages", stage, unit, "shortcut", "conv" | "norm" as part]:
            # The projection is called after its stride.
            projection = "c1x1_w_s1" if stage == "0" else "c1x1_w_s2"
            inside = f"{projection}.{'bn' if part == 'norm' else part}"
            return f"features.conv{int(stage) + 2}_{int(unit) + 1}.{inside}"
        case ["stages", stage, unit, part]:
            return f"features.conv{int(stage) + 2}_{int(unit) + 1}.{DPN_UNIT[part]}"
        case ["head", "norm"]:
            return "features.conv5_bn_ac.bn"
        case ["head", "linear"]:
            return "classifier"
    raise KeyError


def _repvgg(path: list[str]) -> str:
    match path:
        case ["stem", part]:
            return f"stem.{REPVGG_BLOCK[part]}"
        case ["stages", stage, unit, part]:
            return f"stages.{stage}.{unit}.{REPVGG_BLOCK[part]}"
        case ["head", "linear"]:
            return "head.fc"
    raise KeyError


def _resnetv2(path: list[str]) -> str:
    match path:
        case ["stem", "conv"]:
            return "stem.conv"
        case ["stages", stage, unit, *part]:
            return f"stages.{stage}.blocks.{unit}.{PREACT_UNIT['.'.join(part)]}"
        case ["head", "norm"]:
            return "norm"
        case ["head", "linear"]:
            return "head.fc"
    raise KeyError


DPN = Naming("timm's DPN", _dpn)
REPVGG = Naming(
    "timm's RepVGG",
    _repvgg,
    hints={r".+\.reparam_conv\..+": "these weights are folded: the training form's are needed"},
)
RESNETV2 = Naming(
    "timm's ResNetV2",
    _resnetv2,
    hints={
        r"stem\.norm\..+": (
            "their stem has no norm: give --set 'stem={block: bare_conv_pool, width: 64}'"
        )
    },
)
