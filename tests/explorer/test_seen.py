from __future__ import annotations

import plotly.graph_objects as go

from archgen import load
from archgen.analysis import coverage
from archgen.explorer import seen_map


def test_each_position_stands_in_its_place_and_holes_are_blank() -> None:
    found = coverage(load("drn_c_26"), "stages.3", "stages.1")
    chart = seen_map(found, "stages.3", "stages.1")
    (map_,) = chart.data
    go.Figure(data=chart.data, layout=chart.layout)
    cells = [value for row in map_["z"] for value in row]
    assert len(map_["z"]) == 28
    assert len(cells) == 28 * 28
    assert sum(value is not None for value in cells) == found.seen == 196
    assert map_["z"][14][14] == max(value for value in cells if value is not None) == 0
    assert "sees 196 of the 28 by 28 positions of stages.1, 27% of its field" in chart.said
