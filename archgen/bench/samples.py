"""The networks whose operations `archgen calibrate` measures: of every family, all kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from archgen.spec import Net, load


@dataclass(frozen=True)
class Sample:
    """A shipped network, made small.

    Args:
        spec: Its name.
        side: Height and width of its images; None for those of the spec.
        batch: Images at once.
        changes: Of the spec, by path.
    """

    spec: str
    side: int | None = None
    batch: int = 1
    changes: dict[str, Any] = field(default_factory=dict)

    def net(self) -> Net:
        """Load and change the spec."""
        image = {} if self.side is None else {"input": [3, self.side, self.side]}
        return load(self.spec).set({**image, **self.changes})


def _groups(count: int, width: int) -> dict[str, Any]:
    return {"stages.groups": count, "stages.group_width.start": width}


_DEPTHWISE = {
    "stages.groups": [64, 128, 256, 512],
    "stages.group_width": 1,
    "stages.out": [128, 256, 384, 512],
}
_FRAMED = {"output_stride": 1, "stages.depth": [1, 1, 1, 1], "stages.width": 32}
_GROUP_NORM = {"stages.shortcut.norm": "group"}

SAMPLES = (
    Sample("resnet18", 64),
    Sample("resnet18", 112),
    Sample("resnet18", 64, changes={"stages.se": 4}),
    Sample("resnet18", 32, changes=_FRAMED),
    Sample("resnet18", 48, changes=_FRAMED),
    Sample("resnet50", 64),
    Sample("resnext50_32x4d", 64),
    Sample("resnext50_32x4d", 48, changes=_groups(64, 2)),
    Sample("resnext50_32x4d", 64, changes=_groups(16, 6)),
    Sample("resnext50_32x4d", 80, changes=_groups(8, 12)),
    Sample("resnext50_32x4d", 48, changes=_DEPTHWISE),
    Sample("resnext50_32x4d", 96, changes=_DEPTHWISE),
    Sample("preresnet56_cifar"),
    Sample("wrn16_8", changes={"stages.dropout": 0.3}),
    Sample("pyramidnet110_a48"),
    Sample("pyramidnet110_a84", 48),
    Sample("pyramidnet164_a48"),
    Sample("dpn68", 64),
    Sample("dpn68", 112),
    Sample("dpn92", 48),
    Sample("dpn92", 176),
    Sample("densenet121", 64),
    Sample("densenet121", 96, changes={"stages.shortcut.grow": 20}),
    Sample("densenet121", 64, changes={"output_stride": 8}),
    Sample("densenet121", 96, changes={"output_stride": 4}),
    Sample("densenet100_k12_bc_cifar"),
    Sample("densenet40_k12_cifar"),
    Sample("drn_a_50", 64),
    Sample("drn_c_26", 64),
    Sample("drn_c_26_cifar"),
    Sample("drn_d_22", 96),
    Sample("dsnet18", 64),
    Sample("dsnet18", 96, changes=_GROUP_NORM),
    Sample("dsnet50", 64),
    Sample("dsnet50", 64, changes=_GROUP_NORM),
    Sample("dsnet50", 160),
    Sample("repvgg_a0", 96),
    Sample("repvgg_a1", 64),
    Sample("repvgg_b1g4", 48),
    Sample("parnet_s", 96),
    Sample("parnet_s_cifar"),
    Sample("mixed_cifar"),
    Sample("resnet18", 64, batch=8),
    Sample("resnet20_cifar", batch=8),
    Sample("resnext50_32x4d", 32, batch=8),
    Sample("resnext50_32x4d", 32, batch=16, changes=_DEPTHWISE),
    Sample("dpn68", 32, batch=8),
    Sample("densenet100_k12_bc_cifar", batch=4),
    Sample("pyramidnet110_a48", batch=4),
    *(
        Sample("resnet20_cifar", changes={"stages.depth": [1, 1, 1], "stages.act": kind})
        for kind in ("leaky_relu", "elu", "relu6", "silu", "gelu", "mish", "hardswish")
    ),
)
