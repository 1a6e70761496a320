"""The papers' claims: what is computed, and that each check can turn out otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from archgen import cost, load
from archgen.analysis import saved_bytes
from archgen.spec import Net
from archgen.view import alpha_rows, claim_rows

nets = cache(load)
DIFFER = {
    "DPN-98: less training memory than ResNeXt-101 64x4d": "9.3 %",
    "DPN-92: fewer MACs than ResNeXt-101 32x4d": "18.4 %",
    "DSNet-50: less training memory than DenseNet": "not than 121, 169",
}


DENSENETS = (121, 169, 201, 161, 264)


def test_what_holds_and_what_does_not() -> None:
    rows = claim_rows(nets=nets)
    assert {row.claim: row.computed for row in rows if not row.holds} == DIFFER
    assert all(bool(row.reason) is not row.holds for row in rows)


@pytest.mark.parametrize(
    ("family", "claim", "computed"),
    [
        ("dpn", "DPN-98: fewer parameters than ResNeXt-101 64x4d", "26.2 %"),
        ("dpn", "DPN-98: fewer MACs than ResNeXt-101 64x4d", "24.51 %"),
        ("dpn", "DPN-92: fewer parameters than ResNeXt-101 32x4d", "14.7 %"),
        ("drn", "DRN: side of the last map, 224x224 images", "28 instead of 7"),
        ("drn", "DRN-A-50: MACs and ResNet-50's", "4.67 times"),
        ("dsnet", "DSNet-50: parameters of the shortcuts' norms", "80,896 (0.32%)"),
        ("dsnet", "DSNet-50: more training memory than ResNet-50", "156 against 82 MB"),
        ("parnet", "ParNet-S deployed and ResNet-34: parameters", "19.1 M against 21.8 M"),
        ("pyramidnet", "zero-padded shortcuts, here and in ResNet: parameters", "0"),
    ],
)
def test_computed(family: str, claim: str, computed: str) -> None:
    found = {row.claim: row for row in claim_rows(family, nets)}
    assert found[claim].computed == computed
    assert found[claim].family == family


def test_the_densenets_that_dsnet_is_held_against() -> None:
    (reason,) = [row.reason for row in claim_rows("dsnet", nets) if not row.holds]
    kept = [f"{saved_bytes(nets(f'densenet{size}')) / 2**20:.0f}" for size in DENSENETS]
    assert f"121 and 169 keep {kept[0]} and {kept[1]}" in reason
    assert f"201, 161 and 264 keep {kept[2]}, {kept[3]} and {kept[4]}" in reason
    ours = cost(nets("dsnet50"))
    costs = {size: cost(nets(f"densenet{size}")) for size in DENSENETS}
    assert min(costs, key=lambda size: abs(costs[size].params - ours.params)) == 161
    assert min(costs, key=lambda size: abs(costs[size].macs - ours.macs)) == 201
    assert "161 in parameters and 201 in MACs" in reason


def test_the_page_has_what_they_cost() -> None:
    page = (Path(__file__).parent.parent / "docs" / "papers.md").read_text()
    names = ("resnet50", "dsnet50", *(f"densenet{size}" for size in DENSENETS))
    for name in names:
        found = cost(nets(name))
        params, macs = f"{found.params / 1e6:.1f} M", f"{found.macs / 1e9:.1f} G"
        saved = f"{saved_bytes(nets(name)) / 2**20:.1f} MB"
        assert f"| {name} | {params} | {macs} | {saved} |" in page


SHALLOW_98, SHALLOW_DS = {"stages.depth": [3, 6, 20, 4]}, {"stages.depth": [2, 2, 2, 2]}
OTHERWISE = {
    "DPN-98: fewer parameters than ResNeXt-101 64x4d": ("dpn98", SHALLOW_98),
    "DPN-98: fewer MACs than ResNeXt-101 64x4d": ("dpn98", SHALLOW_98),
    "DPN-98: less training memory than ResNeXt-101 64x4d": ("dpn98", SHALLOW_98),
    "DPN-92: fewer parameters than ResNeXt-101 32x4d": ("dpn92", {"stages.depth": [3, 4, 21, 3]}),
    "DPN-92: fewer MACs than ResNeXt-101 32x4d": (
        "dpn92", {"stages.shortcut.grow": [16, 32, 22, 128]}),
    "DRN: side of the last map, 224x224 images": ("drn_a_50", {"stages.stride": [1, 2, 2, 2]}),
    "DRN-A-18, 34, 50: parameters and ResNet's": (
        "drn_a_18", {"stages.width": [64, 128, 256, 520]}),
    "DRN-A-50: MACs and ResNet-50's": ("drn_a_50", {"stages.stride": [1, 2, 2, 2]}),
    "DSNet-50: shortcut weights, n units of width C a stage": (
        "dsnet50", {"stages.shortcut.inner": True}),
    "DSNet-50: parameters of the shortcuts' norms": ("dsnet50", {"stages.shortcut.norm": "none"}),
    "DSNet-50: MACs that the shortcuts add": ("dsnet50", {"stages.groups": 2}),
    "DSNet-50: more training memory than ResNet-50": (
        "dsnet50", {"stages.shortcut": "projection", "stages.depth": [3, 4, 5, 3]}),
    "DSNet-50: less training memory than DenseNet": ("dsnet50", SHALLOW_DS),
    "zero-padded shortcuts, here and in ResNet: parameters": (
        "pyramidnet110_a48", {"stages.shortcut": "projection"}),
    "ParNet-S, M, L, XL: depth": ("parnet_s", {"body.depth": [4, 4, 5, 6]}),
    "ParNet-S deployed and ResNet-34: parameters": ("resnet34", {"stages.depth": [3, 4, 6, 4]}),
    "RepVGG deployed: nothing but 3x3 convolutions and ReLU": ("repvgg_a0", {"stages.act": "silu"}),
}  # fmt: skip
"""For each claim a network and a change of it with which the claim's verdict is the other one."""


def test_every_claim_is_tried() -> None:
    assert {row.claim for row in claim_rows(nets=nets)} == set(OTHERWISE)


@pytest.mark.parametrize("claim", OTHERWISE)
def test_a_claim_holds_for_one_network_and_not_for_another(claim: str) -> None:
    name, change = OTHERWISE[claim]

    def changed(asked: str) -> Net:
        return nets(asked).set(change) if asked == name else nets(asked)

    (row,) = [row for row in claim_rows(nets=nets) if row.claim == claim]
    (other,) = [each for each in claim_rows(row.family, changed) if each.claim == claim]
    assert row.holds is not other.holds
    assert row.computed != other.computed


def test_additive_widening_costs_more_than_multiplicative_to_the_same_width() -> None:
    rows = alpha_rows(nets)
    assert [row.alpha for row in rows] == [24, 48, 84, 150, 270]
    assert [row.features for row in rows] == [16 + row.alpha for row in rows]
    assert all(row.additive > row.multiplicative for row in rows)
    assert rows[1].additive == 1_772_706
    assert rows[2].additive == 3_904_446
