"""The papers' claims: what is computed, and that each check can fail."""

from __future__ import annotations

from functools import cache

import pytest

from archgen import load
from archgen.spec import Net
from archgen.view import alpha_rows, claim_rows, paper_rows

nets = cache(load)
DIFFER = {
    "DPN-98: less training memory than ResNeXt-101 64x4d": "9.3 %",
    "DPN-92: fewer MACs than ResNeXt-101 32x4d": "18.4 %",
}


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
        ("parnet", "ParNet-S deployed and ResNet-34: parameters", "19.1 M against 21.8 M"),
        ("pyramidnet", "zero-padded shortcuts, here and in ResNet: parameters", "0"),
    ],
)
def test_computed(family: str, claim: str, computed: str) -> None:
    found = {row.claim: row for row in claim_rows(family, nets)}
    assert found[claim].computed == computed
    assert found[claim].family == family


def test_every_family_has_a_claim() -> None:
    families = {paper.family for paper in paper_rows(nets=nets)}
    assert {row.family for row in claim_rows(nets=nets)} == families


CHANGES = {
    "dpn98": {"stages.groups": 32},
    "drn_a_50": {"stages.stride": [1, 2, 2, 2]},
    "drn_a_18": {"stages.width": [64, 128, 256, 520]},
    "dsnet50": {"stages.depth": [3, 4, 7, 3]},
    "parnet_s": {"body.depth": [4, 4, 5, 6]},
    "pyramidnet110_a48": {"stages.shortcut": "projection"},
    "repvgg_a0": {"stages.act": "silu"},
    "resnet34": {"stages.depth": [3, 4, 6, 4]},
    "wrn28_10": {"stages.shortcut": "zero_pad"},
}
"""One change each that makes a claim about the network wrong."""


@pytest.mark.parametrize("name", CHANGES)
def test_a_claim_fails_for_another_network(name: str) -> None:
    def changed(asked: str) -> Net:
        return nets(asked).set(CHANGES[name]) if asked == name else nets(asked)

    right = {row.claim for row in claim_rows(nets=nets) if row.holds}
    wrong = {row.claim for row in claim_rows(nets=changed) if not row.holds}
    assert right & wrong


def test_additive_widening_costs_more_than_multiplicative_to_the_same_width() -> None:
    rows = alpha_rows(nets)
    assert [row.alpha for row in rows] == [24, 48, 84, 150, 270]
    assert [row.features for row in rows] == [16 + row.alpha for row in rows]
    assert all(row.additive > row.multiplicative for row in rows)
    assert rows[1].additive == 1_772_706
    assert rows[2].additive == 3_904_446
