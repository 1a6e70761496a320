"""Curves and bars of several networks: what they draw is what is counted, and plotly takes it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

from archgen.analysis import receptive_field
from archgen.explorer import Shown
from archgen.explorer.entries import MOST, Entry, entry, labelled
from archgen.explorer.measures import MEASURES
from archgen.explorer.overlaid import along
from archgen.explorer.ratios import PATTERNS, ratios
from archgen.report.traces import Chart
from archgen.view.colours import STYLES

NETS = ("resnet34", "parnet_s", "drn_a_18", "dsnet50", "densenet121", "resnet110_cifar")


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    return labelled([entry(Shown(name)) for name in NETS])


@pytest.mark.parametrize("what", ["macs", "params", "saved_bytes"])
def test_sums_end_at_what_the_network_costs(entries: dict[str, Entry], what: str) -> None:
    chart = along(entries, MEASURES[what])
    assert [trace["name"] for trace in chart.data] == [*NETS]
    for trace, each in zip(chart.data, entries.values(), strict=True):
        assert trace["y"][-1] == MEASURES[what].height(getattr(each.costs, what))
        assert trace["y"] == sorted(trace["y"])
        assert trace["x"] == sorted({*trace["x"]})
        assert trace["x"][-1] == each.costs.depth


def parts(trace: dict[str, Any]) -> list[list[str]]:
    """Part a line where it breaks, into the paths of its units."""
    found: list[list[str]] = [[]]
    for text in trace["text"]:
        if text is None:
            found.append([])
        else:
            found[-1].append(text.split("<br>")[1])
    return found


def test_streams_branch_off(entries: dict[str, Entry]) -> None:
    lines = {trace["name"]: parts(trace) for trace in along(entries, MEASURES["side"]).data}
    assert [name for name, found in lines.items() if len(found) > 1] == ["parnet_s"]
    assert [part[:2] for part in lines["parnet_s"][1:]] == [
        ["at4", "body.at4.0"],
        ["at8", "body.at8.0"],
        ["at16", "body.at16.0"],
        ["body.at4.3", "body.at4_down"],
        ["body.at8.4", "body.at8_fuse"],
        ["body.at16.4", "body.at16_fuse"],
    ]


@pytest.mark.parametrize("name", NETS)
def test_lines_hold_every_map_and_follow_the_wiring(entries: dict[str, Entry], name: str) -> None:
    (line,) = along({name: entries[name]}, MEASURES["channels"]).data
    units = {unit.path: unit for unit in entries[name].units if unit.side}
    assert {path for part in parts(line) for path in part} == {*units}
    for part in parts(line):
        assert all(units[below].after == above for above, below in pairwise(part))
    drawn = {y for y in line["y"] if y is not None}
    assert drawn == {unit.channels for unit in units.values()}


def test_resolutions_are_marked_on_the_axis(entries: dict[str, Entry]) -> None:
    axis = along(entries, MEASURES["side"]).layout["yaxis"]
    assert axis["tickvals"] == [7, 8, 14, 16, 28, 32, 56, 112, 224]


def test_the_field_of_the_last_map_is_the_highest(entries: dict[str, Entry]) -> None:
    chart = along(entries, MEASURES["receptive_field"])
    for line in chart.data:
        highest = max(y for y in line["y"] if y is not None)
        assert highest == receptive_field(entries[line["name"]].net)
    assert f"resnet34 {receptive_field(entries['resnet34'].net)}" in chart.said


def test_bars_go_from_one_to_the_ratio(entries: dict[str, Entry]) -> None:
    chart = ratios(entries)
    assert [trace["name"] for trace in chart.data] == [*NETS[1:]]
    first = entries["resnet34"].costs
    for trace in chart.data:
        at = dict(zip(trace["y"], trace["customdata"], strict=True))
        assert at["MACs"] == entries[trace["name"]].costs.macs / first.macs
        ends = [trace["base"] + x for x in trace["x"]]
        assert ends == pytest.approx(trace["customdata"])
    low, high = chart.layout["xaxis"]["range"]
    known = [math.log10(x) for trace in chart.data for x in trace["customdata"]]
    assert low < min(known) < 0 < max(known) < high
    assert 1 in chart.layout["xaxis"]["tickvals"]
    assert len(chart.layout["xaxis"]["tickvals"]) <= 9
    assert "parnet_s: Parameters 0.960x" in chart.said


def test_no_two_networks_look_alike() -> None:
    assert len({*PATTERNS}) == len(STYLES) == MOST


@pytest.mark.parametrize("what", MEASURES)
def test_plotly_takes_all_of_it(entries: dict[str, Entry], what: str) -> None:
    import plotly.graph_objects as go

    def taken(chart: Chart) -> None:
        go.Figure(data=chart.data, layout=chart.layout)

    taken(along(entries, MEASURES[what]))
    taken(ratios(entries))


def test_a_change_is_no_markup() -> None:
    words = ('dpn68;paper.note="<a href=x>"', "resnet18")
    found = labelled([entry(Shown.read(word)) for word in words])
    for chart in (along(found, MEASURES["channels"]), ratios(dict(reversed(found.items())))):
        assert "<a" not in str(chart.data)
        assert "&lt;a href" in str(chart.data)
