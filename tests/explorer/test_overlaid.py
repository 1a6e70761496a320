"""Curves and bars of several networks: what they draw is what is counted, and plotly takes it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import get_args

import pytest

from archgen.analysis import receptive_field
from archgen.explorer import Shown
from archgen.explorer.compared import Entry, entry, labelled
from archgen.explorer.overlaid import AXES, CURVES, STYLES, Curve, along, chains, ratios
from archgen.report.charts import Chart
from archgen.view import stage_rows

NETS = ("resnet34", "parnet_s", "drn_a_18", "dsnet50", "densenet121", "resnet110_cifar")


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    return labelled([entry(Shown(name)) for name in NETS])


def test_every_curve_has_its_axis() -> None:
    assert [*CURVES] == [*AXES] == [*get_args(Curve)]


@pytest.mark.parametrize("what", ["macs", "params", "saved_bytes"])
def test_sums_end_at_what_the_network_costs(entries: dict[str, Entry], what: Curve) -> None:
    chart = along(entries, what)
    assert [trace["name"] for trace in chart.data] == [*NETS]
    for trace, each in zip(chart.data, entries.values(), strict=True):
        assert trace["y"][-1] == getattr(each.costs, what)
        assert trace["y"] == sorted(trace["y"])
        assert trace["x"] == sorted({*trace["x"]})
        assert trace["x"][-1] == each.costs.depth


def test_maps_are_lines_and_streams_lines_of_their_own(entries: dict[str, Entry]) -> None:
    chart = along(entries, "side")
    lines = {name: [trace for trace in chart.data if trace["name"] == name] for name in NETS}
    assert {name: len(found) for name, found in lines.items()} == {
        name: 3 if name == "parnet_s" else 1 for name in NETS
    }
    assert all([line["showlegend"] for line in found][1:] in ([], [False] * 2)
               for found in lines.values())  # fmt: skip
    for name, found in lines.items():
        drawn = {side for line in found for side in line["y"]}
        maps = [row.shape for row in stage_rows(entries[name].net) if len(row.shape) == 3]
        assert {shape[1] for shape in maps} <= drawn
    assert chart.layout["yaxis"]["tickvals"][0] == 7


def test_the_field_of_the_last_map_is_the_highest(entries: dict[str, Entry]) -> None:
    chart = along(entries, "receptive_field")
    for name in NETS:
        highest = max(max(line["y"]) for line in chart.data if line["name"] == name)
        assert highest == receptive_field(entries[name].net)
    assert f"resnet34 {receptive_field(entries['resnet34'].net)}" in chart.said


def test_chains_hold_every_unit_once_and_follow_the_wiring(entries: dict[str, Entry]) -> None:
    for each in entries.values():
        found = chains(each.units)
        after = [line if number == 0 else line[1:] for number, line in enumerate(found)]
        assert sorted(unit.path for line in after for unit in line) == sorted(
            unit.path for unit in each.units
        )
        for line in found:
            assert all(b.after == a.path for a, b in pairwise(line))


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
    for column in zip(*STYLES, strict=True):
        assert len({*column}) == len(STYLES)


@pytest.mark.parametrize("what", CURVES)
def test_plotly_takes_all_of_it(entries: dict[str, Entry], what: Curve) -> None:
    import plotly.graph_objects as go

    def taken(chart: Chart) -> None:
        go.Figure(data=chart.data, layout=chart.layout)

    taken(along(entries, what))
    taken(ratios(entries))


def test_a_change_is_no_markup() -> None:
    words = ('dpn68;paper.note="<a href=x>"', "resnet18")
    found = labelled([entry(Shown.read(word)) for word in words])
    for chart in (along(found, "channels"), ratios(dict(reversed(found.items())))):
        assert "<a" not in str(chart.data)
        assert "&lt;a href" in str(chart.data)
