"""What gridding says of DRN-A, B and C before training."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "gridding.py"))
NETWORKS = {network.name: network for network in SCRIPT["NETWORKS"]}


def test_paths():
    """Levels of dilation 2 and 4 reach one position in four; the last level all."""
    paths = {name: SCRIPT["by_paths"](network) for name, network in NETWORKS.items()}
    assert [reached for _, reached in paths["C-26"]] == pytest.approx([81 / 784, 1 / 4, 1 / 4, 1])
    assert paths["B-26"][:2] == paths["C-26"][:2]

    last = {name: figures[-1][0] for name, figures in paths.items()}
    assert last["C-26"] < paths["C-26"][1][0] / 10
    assert last["C-26"] < last["B-26"] / 5
    assert last["B-26"] < last["A-18, dilated throughout"] / 1.5
    # As the authors dilate it, A has no more of a grid than B: its first unit is not dilated.
    assert last["C-26"] < last["A-18, the authors' code"] < last["B-26"]


def test_energy_goes_where_the_paths_go():
    network = NETWORKS["C-26"]
    for (_, near), (paths, _) in zip(
        SCRIPT["by_energy"](network, 0), SCRIPT["by_paths"](network), strict=True
    ):
        assert near == pytest.approx(paths, abs=0.04)
