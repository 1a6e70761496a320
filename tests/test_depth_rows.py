"""Rows along depth: they add up to what the network costs, and follow its wiring."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archgen import cost, files, load
from archgen.analysis import receptive_field
from archgen.spec import Net
from archgen.view import depth_rows, stage_rows


@pytest.mark.parametrize("name", files.names("specs"))
def test_rows_add_up_and_go_down(name: str) -> None:
    net = load(name)
    rows, counts = depth_rows(net, 2), cost(net, 2)
    for what in ("params", "macs", "activations", "saved_bytes"):
        assert sum(getattr(row, what) for row in rows) == getattr(counts, what)
    assert rows[-1].layers == counts.depth
    stages = {row.path: row for row in stage_rows(net)}
    at = {row.path: row for row in rows}
    assert len(at) == len(rows) == 1 + sum(stage.units for stage in stages.values())
    for row in rows[1:]:
        assert row.layers >= at[row.after].layers
        assert row.block in stages[row.stage].blocks
    for stage in stages.values():
        last = [row for row in rows if row.stage == stage.path][-1]
        assert (last.shape, last.stride) == (stage.shape, stage.stride)


def test_units_of_a_dual_path_network() -> None:
    net = load("dpn131")
    rows = {row.path: row for row in depth_rows(net)}
    assert rows["input"].shape == net.input
    first, last = rows["stages.2.0"], rows["stages.3.2"]
    assert (first.block, first.stage, first.stream) == ("bottleneck_preact", "stages.2", "")
    assert (first.after, first.layers) == ("stages.1.7", 1 + 3 * (4 + 8 + 1))
    assert (first.channels, first.side) == (1024 + 3 * 32, 14)
    assert last.receptive_field == receptive_field(net) == 1203
    assert (rows["head"].side, rows["head"].receptive_field) == (None, None)


def test_streams_stand_side_by_side() -> None:
    rows = {row.path: row for row in depth_rows(load("parnet_s"))}
    assert rows["body.at8.0"].after == "at8"
    assert rows["body.at8.0"].layers == rows["at16"].layers == rows["body.at4.1"].layers
    assert {row.stream for row in rows.values()} == {"", "body.at4", "body.at8", "body.at16"}
    assert (rows["body.at8_fuse"].stream, rows["body.at8_fuse"].after) == ("", "body.at8.4")


def test_a_node_that_is_a_list_of_blocks(net: Callable[..., Net]) -> None:
    rows = depth_rows(net("high: {block: basic, width: 8, depth: 2, shortcut: projection}"))
    assert [(row.path, row.stage, row.layers) for row in rows] == [
        ("input", "input", 0), ("high.0", "high", 2), ("high.1", "high", 4),
    ]  # fmt: skip
