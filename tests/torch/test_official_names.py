"""The names of the papers' official code, against networks that the papers define.

The official code itself is not here: what its files hold was read, and `stand_ins` says it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import torch
from stand_ins import Drn, ParNet, PyramidNet, RepVgg
from torch import nn

import archgen
from archgen.export.fit import COUNTER, fit

pytestmark = pytest.mark.torch


class Official(NamedTuple):
    spec: str
    source: str
    make: Callable[[], nn.Module]
    change: Mapping[str, Any] = MappingProxyType({})


A0 = ((2, 4, 14, 1), (48, 96, 192, 1280))
G4 = {"kind": "cycle", "of": [1, 4]}
FEW = {"stages.depth": [1, 1, 2, 1]}
DRN, PYRAMID = "fyu/drn", "dyhan0920/PyramidNet-PyTorch"
PARNET, REPVGG = "imankgoyal/NonDeepNetworks", "DingXiaoH/RepVGG"
OFFICIAL = [
    Official("drn_c_26", DRN, lambda: Drn("C", (1, 1, 2, 2, 2, 2, 1, 1), expand=1)),
    Official("drn_c_58", DRN, lambda: Drn("C", (1, 1, 1, 1, 2, 1, 1, 1), expand=4), FEW),
    Official("drn_d_24", DRN, lambda: Drn("D", (1, 1, 2, 2, 2, 2, 2, 2), expand=1)),
    Official("drn_d_54", DRN, lambda: Drn("D", (1, 1, 1, 1, 2, 1, 1, 1), expand=4), FEW),
    Official(
        "pyramidnet110_a48",
        PYRAMID,
        lambda: PyramidNet((18, 18, 18), 48, bottleneck=False, imagenet=False),
    ),
    Official(
        "pyramidnet200_a300_imagenet",
        PYRAMID,
        lambda: PyramidNet((1, 1, 2, 1), 300, bottleneck=True, imagenet=True),
        FEW,
    ),
    Official("parnet_s", PARNET, lambda: ParNet((92, 192, 384), 1280)),
    Official("repvgg_a0", REPVGG, lambda: RepVgg(*A0)),
    Official("repvgg_a0", REPVGG, lambda: RepVgg(*A0, groups=4), {"stages.groups": G4}),
]


@pytest.mark.parametrize("official", OFFICIAL, ids=lambda one: one.spec)
def test_logits_are_equal(
    official: Official,
    random_state: Callable[[nn.Module], dict[str, torch.Tensor]],
    tmp_path: Path,
) -> None:
    with torch.device("meta"):
        stand_in = official.make().eval()
    state = random_state(stand_in)
    stand_in.load_state_dict(state, assign=True)
    # As their trainers save: in parallel, beside other things; and without counters, as of 2017.
    saved = {f"module.{key}": value for key, value in state.items() if COUNTER not in key}
    torch.save({"epoch": 3, "arch": "net", "state_dict": saved}, tmp_path / "w.pth.tar")
    net = archgen.load(official.spec).set(official.change)
    loaded = archgen.load_weights(net, tmp_path / "w.pth.tar")
    assert loaded.fit.naming.source == official.source
    assert loaded.fit.complete
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        ours, theirs = loaded.model.eval()(x), stand_in(x)
    assert (theirs[0] - theirs[1]).abs().max() > 1e-3 * theirs.abs().max()
    assert (ours - theirs).abs().max() < 1e-12 * theirs.abs().max()


def test_what_the_authors_code_drops_is_left_out(tmp_path: Path) -> None:
    with torch.device("meta"):
        stand_in = Drn("C", (1, 1, 3, 4, 6, 3, 1, 1), expand=4)
    state = {k: torch.empty_like(v, device="cpu") for k, v in stand_in.state_dict().items()}
    torch.save(state, tmp_path / "w.pth")
    found = archgen.load_weights(archgen.load("drn_c_58"), tmp_path / "w.pth").fit
    assert found.complete
    assert {name.rpartition(".")[0] for name in found.unused} == {
        "layer7.0.downsample.0",
        "layer7.0.downsample.1",
    }
    assert set(found.unused.values()) == {"their code computes this projection and drops it"}
    dead = [state[name].numel() for name in found.unused if "running" not in name]
    assert sum(dead) == 1_049_600
    # With them the count is the published 41.6 M.
    assert round((sum(dead) + archgen.cost(found.net).params) / 1e6, 1) == 41.6


def timm_a0() -> nn.Module:
    model: nn.Module = pytest.importorskip("timm").create_model("repvgg_a0")
    return model


@pytest.mark.parametrize("make", [timm_a0, lambda: RepVgg(*A0)], ids=["timm", "authors"])
def test_the_order_in_a_file_is_not_that_of_execution(make: Callable[[], nn.Module]) -> None:
    """By order, tensors would end in other places: a norm's among those of its neighbour."""
    with torch.device("meta"):
        shapes = {name: tuple(x.shape) for name, x in make().state_dict().items()}
    net = archgen.load("repvgg_a0")
    found = fit(net, shapes)
    assert found.complete
    theirs = [name for name in shapes if not name.endswith(COUNTER)]
    assert sorted(found.found.values()) == sorted(theirs)
    executed = [found.found[name] for name, _, _ in net.graph().params()]
    registered = [name for name in theirs if name in executed]
    assert sum(one != two for one, two in zip(executed, registered, strict=True)) > 100
