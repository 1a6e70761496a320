"""DRN-C and DRN-D in the authors' code (fyu/drn). DRN-A has torchvision's names."""

from __future__ import annotations

from archgen.export.names.torchvision import STEM, UNIT
from archgen.export.naming import Naming

FIRST = {"early": 1, "stages": 3, "degrid": 7}
"""The level that a node starts with."""


def _drn(path: list[str]) -> str:
    match path:
        case ["stem", part]:
            return STEM[part]
        case [node, level, unit, "conv" | "norm" as part]:
            # DRN-D's plain levels are one sequence of convolution, norm and activation.
            place = 3 * int(unit) + (part == "norm")
            return f"layer{FIRST[node] + int(level)}.{place}"
        case [node, level, unit, *part]:
            return f"layer{FIRST[node] + int(level)}.{unit}.{UNIT['.'.join(part)]}"
        case ["head", "linear"]:
            return "fc"
    raise KeyError


DRN = Naming(
    "fyu/drn",
    _drn,
    # DRN-D's stem is a sequence too.
    spelled={r"^layer0\.0\.": "conv1.", r"^layer0\.1\.": "bn1."},
    unused={r"layer7\.0\.downsample\..+": "their code computes this projection and drops it"},
)
