"""The depth of the library's networks is what follows from the tables in their specs."""

from __future__ import annotations

import pytest

from archgen import cost, files, load
from archgen.spec import Net

FAMILIES = ("resnet", "preresnet", "resnext", "pyramidnet", "densenet", "dpn", "drn", "ds")
LAYERS = {
    "basic": 2, "basic_preact": 2, "basic_pyramid": 2, "dense_bottleneck": 2,
    "bottleneck": 3, "bottleneck_preact": 3, "bottleneck_preact_split": 3, "bottleneck_pyramid": 3,
}  # fmt: skip
"""Weighted layers that follow each other in a block; all others of these families have one."""


def depth(net: Net) -> int:
    """Count the layers of each unit, and of each block between stages."""
    layers = 0
    for node in net.nodes.values():
        depths = node.depth if isinstance(node.depth, list) else [node.depth or 1]
        layers += sum(depths) * LAYERS.get(node.block, 1)
        if node.between is not None:
            layers += (len(depths) - 1) * LAYERS.get(node.between.block, 1)
    return layers


@pytest.mark.parametrize("name", [n for n in files.names("specs") if n.startswith(FAMILIES)])
def test_units_make_up_the_depth(name: str) -> None:
    net = load(name)
    assert cost(net).depth == depth(net)
