"""What a pixel sees, as text."""

from __future__ import annotations

import numpy as np

from archgen import load
from archgen.analysis import Coverage, coverage
from archgen.view import shades


def drawn(rows: list[list[float]], **how: int) -> list[str]:
    return shades(Coverage(np.array(rows, dtype=float)), **how).splitlines()


def test_a_shade_is_a_quarter_of_the_next():
    assert drawn([[256, 255, 64, 16, 15, 4, 1, 1e-9, 0, 1]]) == ["████▓▓▒▒▒▒░░····  ··"]


def test_what_lies_around_the_field_is_not_drawn():
    assert drawn([[0, 0, 0, 0], [0, 2, 0, 2], [0, 0, 2, 0], [0, 0, 0, 0]]) == ["██  ██", "  ██"]


def test_a_large_field_is_summed_up():
    row, empty = [1, 1, 1, 1, 0.25], [0.0] * 5
    rows = [row, empty, row, empty, row]
    assert drawn(rows, most=5) == ["████████▓▓", "", "████████▓▓", "", "████████▓▓"]
    assert drawn(rows, most=4) == ["████▓▓"] * 3
    assert drawn(rows, most=1) == ["██"]


def test_grids():
    dilated = load("drn_a_18").set({"stages.dilation": [1, 1, 2, 4]})
    lines = shades(coverage(dilated, seen="stages.1")).splitlines()
    assert len(lines) == 27
    assert not any(lines[1::2])
    assert all(line[2::4].isspace() and line[3::4].isspace() for line in lines[::2])
    whole = shades(coverage(load("drn_c_26"), seen="stages.1"))
    assert " " not in whole
    assert len(whole) == 28 * (2 * 28 + 1)
