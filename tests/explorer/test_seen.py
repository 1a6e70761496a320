from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest

from archgen import ArchError, load
from archgen.analysis import coverage
from archgen.explorer import seen_map
from archgen.explorer.seen import seen_by


def test_each_position_stands_in_its_place_and_holes_are_blank() -> None:
    found = coverage(load("drn_c_26"), "stages.3", "stages.1")
    chart = seen_map(found, "stages.3", "stages.1")
    (map_,) = chart.data
    go.Figure(data=chart.data, layout=chart.layout)
    cells = [value for row in map_["z"] for value in row]
    assert len(map_["z"]) == 27
    assert len(cells) == 27 * 27
    assert sum(value is not None for value in cells) == found.seen == 196
    row, column = 14 - map_["y0"], 14 - map_["x0"]
    assert map_["z"][int(row)][int(column)] == max(value for value in cells if value is not None)
    assert (found.shares[14, 14], map_["dx"]) == (found.shares.max(), 1)
    said = "sees 196 of the 28 by 28 positions of stages.1, 27% of a field of 27x27."
    assert said in chart.said


def test_a_large_field_is_drawn_in_cells() -> None:
    net = load("dpn131").set({"input": [3, 1400, 1400]})
    found = seen_by(net, "stages.3", "input")
    assert found.field.shape == (1203, 1203)
    chart = seen_map(found, "stages.3", "input")
    (map_,) = chart.data
    assert (len(map_["z"]), len(map_["z"][0]), map_["dx"]) == (401, 401, 3)
    assert map_["y0"] == found.box[0].start + 1
    assert len(json.dumps(chart.data)) < 2_000_000
    assert "a cell is 3 by 3 positions" in chart.said


def test_a_map_beyond_all_bounds_is_refused_before_it_is_made() -> None:
    net = load("resnet18").set({"input": [3, 4096, 4096]})
    with pytest.raises(ArchError, match="a map of 4096x4096 is followed up to 8,388,608"):
        seen_by(net, "stages.3", "input")
