"""How much of a dilated network's output is a grid, level by level, with random weights.

    python benchmarks/gridding.py [--seeds 8]

An impulse goes into DRN-A, B and C (arXiv:1705.09914), and what is seen of it on the 28x28 maps
is compared: whether all positions have their share of its energy, or those of a grid have more.
Nothing is trained.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor, nn

import archgen
from archgen import analysis

PERIOD = 4
"""The widest dilation of all networks here, in pixels of the last maps."""
ENTRY = "stages.1"
"""What comes before the first dilated level of all networks here."""
IMPULSES = [(112, 112), (114, 115), (117, 109), (110, 113)]
"""Rows and columns of the image, at several offsets from the network's strides."""


@dataclass(frozen=True)
class Network:
    """A network and what to change in it; `levels` name its dilated levels and those behind."""

    name: str
    spec: str
    levels: Sequence[str]
    changes: dict[str, Any]


RESNET = ["stages.2", "stages.3"]
SIX_STAGES = [*RESNET, "stages.4", "stages.5"]
DEGRID = [*RESNET, "degrid.0", "degrid.1"]
NETWORKS = [
    Network("A-18, the authors' code", "drn_a_18", RESNET, {}),
    Network("A-18, the paper", "resnet18", RESNET, {"output_stride": 8}),
    Network("A-18, dilated throughout", "drn_a_18", RESNET, {"stages.dilation": [1, 1, 2, 4]}),
    Network("B-26", "drn_b_26", SIX_STAGES, {}),
    Network("C-26", "drn_c_26", DEGRID, {}),
    Network("C-26, undilated", "drn_c_26", DEGRID, {"stages.dilation": 1, "degrid.dilation": 1}),
]


def gridding(energy: Tensor) -> float:
    """Give the mean gridding of maps (N, H, W)."""
    return mean(analysis.gridding(one, PERIOD) for one in energy.double().numpy())


def through(levels: Sequence[nn.Module], x: Tensor) -> list[Tensor]:
    """Give the maps behind each level."""
    maps = []
    for level in levels:
        maps.append(x := level(x))
    return maps


def impulse(channels: Tensor, side: int = 28) -> Tensor:
    """Give a map that is zero but for its middle, (1, C, side, side)."""
    x = torch.zeros(1, len(channels), side, side)
    x[0, :, side // 2, side // 2] = channels
    return x


def by_paths(network: Network) -> list[tuple[float, float]]:
    """Follow paths: all weights alike, from the middle pixel to the first dilated level's input.

    Gives, for each level, the gridding of the paths, and the share of the positions that any path
    leads to.
    """
    graph = archgen.load(network.spec).set(network.changes).graph()
    found = [analysis.coverage(graph, level, seen=ENTRY) for level in network.levels]
    return [(each.gridding(PERIOD), each.seen / each.shares.size) for each in found]


def entering(model: nn.Module, level: nn.Module, images: Tensor) -> Tensor:
    """Give the map that enters a level."""
    maps: list[Tensor] = []
    with level.register_forward_pre_hook(lambda _, args: maps.append(args[0])):
        model(images)
    return maps[0]


@torch.inference_mode()
def by_energy(network: Network, seed: int) -> list[tuple[float, float]]:
    """Send impulses through random weights, as they are before training.

    Gives, for each level, the gridding of the energy (the sum of squares over channels) of an
    impulse in the image, and of one in the first dilated level's input.
    """
    torch.manual_seed(seed)
    model = archgen.build(archgen.load(network.spec).set(network.changes)).eval()
    levels = [model.get_submodule(path) for path in network.levels]
    images = torch.zeros(len(IMPULSES), 3, 224, 224)
    for image, (row, column) in zip(images, IMPULSES, strict=True):
        image[:, row, column] = 1
    first = entering(model, levels[0], images)
    far = through(levels, first)
    near = through(levels, impulse(torch.rand(first.shape[1])))
    return [
        (gridding(x.square().sum(1)), gridding(y.square().sum(1)))
        for x, y in zip(far, near, strict=True)
    ]


def main() -> None:
    """Print a line for each level of each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="networks of each kind (2 or more)")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {options.seeds} seeds: mean and standard deviation\n")
    print(f"{'network':25} {'level':9} {'image':>15} {'map':>15} {'paths':>7} {'reached':>8}")
    for network in NETWORKS:
        runs = [by_energy(network, seed) for seed in range(options.seeds)]
        for index, (level, (paths, reached)) in enumerate(
            zip(network.levels, by_paths(network), strict=True)
        ):
            image, near = zip(*[run[index] for run in runs], strict=True)
            print(
                f"{network.name:25} {level:9} {mean(image):>7.4f} ±{stdev(image):.4f} "
                f"{mean(near):>7.4f} ±{stdev(near):.4f} {paths:>7.4f} {reached:>8.0%}"
            )


if __name__ == "__main__":
    main()
