"""The tables and the drawing of docs/geometry.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

from archgen import cost, load
from archgen.analysis import concurrency, coverage, parallelism, receptive_field
from archgen.passes.fold import fold
from archgen.view import shades

PAGE = (Path(__file__).parent.parent / "docs" / "geometry.md").read_text()


def rows(heading: str) -> Iterator[list[str]]:
    """Give the cells of the table with this first heading."""
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("half", [slice(0, 3), slice(4, 7)])
def test_fields(half: slice):
    for names, field, side in (cells[half] for cells in rows("network")):
        for name in re.findall("`(.*?)`", names):
            net = load(name)
            assert f"{receptive_field(net):,}" == field
            assert net.input[1] == int(side)


def test_streams():
    for what, *figures in rows("deploy form"):
        name, *change = re.findall("`(.*?)`", what)
        values = {path: int(value) for path, _, value in (each.partition("=") for each in change)}
        graph = fold(load(name).set(values).graph()).graph
        found = parallelism(graph)
        assert figures == [
            f"{cost(graph).depth}",
            f"{concurrency(graph)}",
            f"{found.macs / 1e9:.2f}",
            f"{found.critical_macs / 1e9:.2f}",
            f"{found.gain:.2f}",
        ]


def test_the_drawing():
    dilated = load("drn_a_18").set({"stages.dilation": [1, 1, 2, 4]})
    left = shades(coverage(dilated, of="stages.3", seen="stages.1")).splitlines()
    right = shades(coverage(load("drn_c_26"), of="degrid.1", seen="stages.1")).splitlines()
    pairs = zip_longest(left, right, fillvalue="")
    drawing = "\n".join(f"{one:58}{other}".rstrip() for one, other in pairs)
    assert drawing in PAGE
