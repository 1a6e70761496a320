"""ResNet, ResNeXt, Wide ResNet and DenseNet in torchvision. timm calls them the same."""

from __future__ import annotations

from archgen.export.naming import Naming

STEM = {"conv": "conv1", "norm": "bn1"}
UNIT = {
    "conv1": "conv1",
    "norm1": "bn1",
    "conv2": "conv2",
    "norm2": "bn2",
    "reduce": "conv1",
    "reduce_norm": "bn1",
    "spatial": "conv2",
    "spatial_norm": "bn2",
    "expand": "conv3",
    "expand_norm": "bn3",
    "shortcut.conv": "downsample.0",
    "shortcut.norm": "downsample.1",
    "se.reduce": "se.fc1",
    "se.expand": "se.fc2",
}
"""A unit with activation last, basic or bottleneck; squeeze and excitation as in timm."""

LAYER = {
    "norm": "norm1",
    "conv": "conv1",
    "reduce_norm": "norm1",
    "reduce": "conv1",
    "spatial_norm": "norm2",
    "spatial": "conv2",
}


def _resnet(path: list[str]) -> str:
    match path:
        case ["stem", part]:
            return STEM[part]
        case ["stages", stage, unit, *part]:
            return f"layer{int(stage) + 1}.{unit}.{UNIT['.'.join(part)]}"
        case ["head", "linear"]:
            return "fc"
    raise KeyError


def _densenet(path: list[str]) -> str:
    match path:
        case ["stem", "conv" | "norm" as part]:
            return f"features.{part}0"
        case ["stages", stage, "0", "conv" | "norm" as part] if stage != "0":
            # Our transition is the first block of the stage that it leads to.
            return f"features.transition{stage}.{part}"
        case ["stages", stage, unit, part]:
            number = int(unit) + (stage == "0")
            return f"features.denseblock{int(stage) + 1}.denselayer{number}.{LAYER[part]}"
        case ["head", "norm"]:
            return "features.norm5"
        case ["head", "linear"]:
            return "classifier"
    raise KeyError


RESNET = Naming(
    "torchvision's ResNet",
    _resnet,
    hints={r"layer.+\.se\.fc[12]\..+": "they squeeze and excite: give --set stages.se=16"},
)
"""Also the names of DRN-A in the authors' code (fyu/drn)."""
DENSENET = Naming(
    "torchvision's DenseNet",
    _densenet,
    spelled={r"(denselayer\d+)\.(norm|conv)\.([12])\.": r"\1.\2\3."},
)
"""The older spelling is that of the files that torchvision's own users download."""
