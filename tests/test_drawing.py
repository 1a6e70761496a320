"""Diagrams as SVG: every spec draws, boxes stand apart, lines cross none."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from archgen import files, load
from archgen.view import stage_rows, svg

SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def boxes(root: ET.Element) -> list[Box]:
    """Left, top, right and bottom of each box."""
    found = []
    for rect in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_draws_a_box_a_row_and_none_overlap(name: str) -> None:
    net = load(name)
    root = ET.fromstring(svg(net))
    found = boxes(root)
    assert len(found) == len(stage_rows(net)) + 1
    wide, high = float(root.get("width", "")), float(root.get("height", ""))
    for index, (left, top, right, bottom) in enumerate(found):
        assert left >= 0
        assert top >= 0
        assert right <= wide
        assert bottom <= high
        for other in found[index + 1 :]:
            apart = right < other[0] or other[2] < left or bottom < other[1] or other[3] < top
            assert apart, (name, other)


@pytest.mark.parametrize("name", ["parnet_s", "mixed_digits", "dpn92"])
def test_no_line_goes_through_a_box(name: str) -> None:
    root = ET.fromstring(svg(load(name)))
    found = boxes(root)
    for path in root.iter(f"{SVG}path"):
        for x, start, end in re.findall(r"M([\d.]+),([\d.]+)V([\d.]+)", path.get("d", "")):
            middle = (float(start) + float(end)) / 2
            for left, top, right, bottom in found:
                assert not (left < float(x) < right and top < middle < bottom)


def test_it_is_the_same_each_time_and_escapes_names() -> None:
    net = load("parnet_s")
    assert svg(net) == svg(load("parnet_s"))
    evil = net.model_copy(update={"name": "<b>&\"'"})
    assert ET.fromstring(svg(evil)).get("aria-label") == "diagram of <b>&\"'"
