"""The papers' comparisons: their sentences say what the library knows."""

from __future__ import annotations

import re

import pytest

from archgen import cost, load
from archgen.explorer import Shown
from archgen.explorer.presets import PRESETS, Preset
from archgen.spec import Net

BY_TITLE = {each.title: each for each in PRESETS}


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_preset_is_networks_and_a_paper(title: str) -> None:
    made = BY_TITLE[title]
    nets = [Shown.read(word).net() for word in made.words()]
    assert [net.name for net in nets] == [*made.names]
    assert nets[0].input == nets[1].input
    assert arxiv(nets[-1]) in made.claim
    assert made.claim.count(".") - len(re.findall(r"\d\.\d", made.claim)) == 1
    claims = made.claims()
    assert claims
    assert all(row.holds or row.reason for row in claims)


def arxiv(net: Net) -> str:
    assert net.paper is not None
    assert net.paper.arxiv is not None
    return net.paper.arxiv


def test_the_claims_are_about_these_networks() -> None:
    claims = [row.claim for row in BY_TITLE["DPN-98 and ResNeXt-101"].claims()]
    assert claims
    assert all("DPN-98" in claim for claim in claims)


def test_equal_parameters_are_solved_for() -> None:
    made = BY_TITLE["PyramidNet and ResNet"]
    resnet, pyramid = [Shown.read(word).net() for word in made.words()]
    assert resnet == load("resnet110_cifar")
    assert cost(pyramid).params == pytest.approx(cost(resnet).params, rel=1e-3)
    assert pyramid != load("pyramidnet110_a48")


def test_error_rates_are_those_of_the_specs() -> None:
    made = BY_TITLE["PyramidNet and ResNet"]
    for name in made.names:
        paper = load(name).paper
        assert paper is not None
        assert str(paper.published.errors.cifar10) in made.claim
        assert str(paper.published.params).rstrip("0M ") in made.claim


def test_a_preset_without_a_number_to_solve_for_is_as_shipped() -> None:
    assert Preset("", ("dpn68", "dpn92"), "", "dpn").words() == ["dpn68", "dpn92"]
