"""Figures along depth: every unit is in every panel, and plotly takes them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest

from archgen import cost, files, load
from archgen.explorer import along_depth
from archgen.view import DepthRow, depth_rows


def traces(name: str, axis: str) -> list[dict[str, Any]]:
    """Give the traces of a panel by its axis: x, x2 to x6."""
    return [each for each in along_depth(depth_rows(load(name))).data if each["xaxis"] == axis]


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_draws(name: str) -> None:
    net = load(name)
    rows = depth_rows(net)
    chart = along_depth(rows)
    go.Figure(data=chart.data, layout=chart.layout)
    assert f"Along {cost(net).depth} layers" in chart.said
    assert "None" not in chart.said
    for axis, total in [("x2", cost(net).macs), ("x4", cost(net).params)]:
        bars = [each for each in chart.data if each["xaxis"] == axis]
        assert sum(sum(each["y"]) for each in bars) == total


def test_what_the_curves_of_a_chain_say() -> None:
    rows = depth_rows(load("resnet18"))
    channels, sides, fields = (traces("resnet18", axis)[0] for axis in ("x", "x3", "x5"))
    assert channels["x"] == [0, 1, 3, 5, 7, 9, 11, 13, 15, 17]
    assert channels["y"] == [3, *[64] * 3, *[128] * 2, *[256] * 2, *[512] * 2]
    assert sides["y"] == [224, *[56] * 3, *[28] * 2, *[14] * 2, *[7] * 2]
    assert fields["y"] == [row.receptive_field for row in rows[:-1]]
    assert channels["text"][3] == "<b>stages.0.1</b> basic<br>channels: 64<br>64x56x56 at layer 5"


def test_a_bar_is_as_wide_as_its_unit_is_deep() -> None:
    (bars,) = traces("resnet18", "x2")
    ends = zip(bars["x"], bars["offset"], bars["width"], strict=True)
    spans = [(x + offset, x + offset + width) for x, offset, width in ends][1:]
    for (_, end), (start, _) in pairwise(spans):
        assert 0 < start - end < 0.3
    assert spans[1][0] == pytest.approx(1.1)
    assert spans[1][1] == pytest.approx(2.9)


def test_streams_are_lines_of_their_own_that_begin_where_they_leave() -> None:
    trunk, at4, *others = traces("parnet_s", "x")
    assert [each["name"] for each in (at4, *others)] == ["body.at4", "body.at8", "body.at16"]
    assert at4["x"] == [None, 2, 3, 4, 5, 6]
    assert at4["marker"]["size"] == [0, 0, 6, 6, 6, 6]
    assert trunk["x"] == [0, 1, 2, 3, 4, None, 6, 7, None, 8, 9, None, 9, 10, 11]
    assert len({(each["line"]["dash"], each["marker"]["symbol"]) for each in (trunk, at4)}) == 2


def test_bars_side_by_side_do_not_overlap() -> None:
    spans: list[tuple[float, float]] = []
    for each in traces("parnet_s", "x2"):
        for x, offset, width in zip(each["x"], each["offset"], each["width"], strict=True):
            spans.append((x + offset, x + offset + width))
    spans.sort()
    assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(spans))


def test_stages_are_shaded_and_named_where_there_is_room() -> None:
    layout = along_depth(depth_rows(load("dpn131"))).layout
    named = [each["text"] for each in layout["annotations"] if each["yref"] == "y domain"]
    assert named == ["0", "stages.1", "stages.2", "3"]
    assert sum(each["type"] == "rect" for each in layout["shapes"]) == 3 * 6


def test_thousands_of_units_are_a_few_lines() -> None:
    """Browsers take seconds for a mark or a bar a unit."""
    rows = depth_rows(load("resnet18").set({"stages.depth": [200] * 4}))
    chart = along_depth(rows)
    assert {trace["type"] for trace in chart.data} == {"scatter"}
    assert {trace["mode"] for trace in chart.data} == {"lines"}
    assert sum(chart.data[1]["y"]) == sum(row.macs for row in rows)


def test_names_are_no_markup() -> None:
    row = DepthRow("<b>&", "<i>", "q<br>", layers=2, shape=(3, 8, 8), after="input")
    chart = along_depth([DepthRow("input", shape=(3, 8, 8)), row])
    assert "<b>&lt;b&gt;&amp;</b> q&lt;br&gt;<br>" in str(chart.data[0]["text"])
    assert "<i>" not in str(chart.layout)
