"""What pages keep in a session: one key is one thing."""

from __future__ import annotations

from itertools import combinations

import pytest
from pages import open_page

SHARED = {"net", "shapes of controls"}
"""What all pages keep together."""


@pytest.fixture(scope="module")
def kept() -> dict[str, set[str]]:
    pages = ("explore", "knobs", "compare", "studies", "launch")
    return {page: {*open_page(page, net="dpn_digits").session_state} - SHARED for page in pages}


def test_keys_of_pages_are_disjoint(kept: dict[str, set[str]]) -> None:
    assert kept["explore"]
    assert kept["knobs"]
    for (one, mine), (other, others) in combinations(kept.items(), 2):
        assert not mine & others, (one, other)


def test_keys_of_explore_carry_its_name(kept: dict[str, set[str]]) -> None:
    assert {key.partition(".")[0] for key in kept["explore"]} == {"explore"}
