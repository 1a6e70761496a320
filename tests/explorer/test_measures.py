"""What is drawn along depth: lines follow the wiring, and costs are called as everywhere."""

from __future__ import annotations

from archgen.explorer.curves import PANELS
from archgen.explorer.measures import MEASURES, joined
from archgen.view import NAMES, DepthRow


def test_a_line_goes_back_to_where_a_unit_reads_and_breaks_where_that_is_not_known() -> None:
    units = [DepthRow("a"), DepthRow("b", after="a"), DepthRow("c", after="a")]
    units += [DepthRow("d", after="gone"), DepthRow("e", after="d")]
    line = joined(units, {unit.path: unit for unit in units})
    assert [unit and unit.path for unit in line] == ["a", "b", None, "a", "c", None, "d", "e"]
    stream = joined(units[1:2], {unit.path: unit for unit in units})
    assert [unit and unit.path for unit in stream] == [None, "a", "b"]


def test_vectors_have_no_map_but_spend() -> None:
    row = DepthRow("head", shape=(1000,), receptive_field=9, params=5)
    had = {what: each.of(row) for what, each in MEASURES.items()}
    assert had == {
        "macs": 0, "params": 5, "saved_bytes": 0, "channels": None, "side": None,
        "receptive_field": None,
    }  # fmt: skip


def test_axes_and_values_have_the_unit() -> None:
    saved = MEASURES["saved_bytes"]
    assert saved.title(" so far") == "saved for backward so far (MiB)"
    assert (saved.height(3 * 2**19), saved.write(3 * 2**19)) == (1.5, "1.50 MiB")
    assert MEASURES["receptive_field"].title() == "receptive field (pixels)"
    assert (MEASURES["channels"].write(2048), MEASURES["side"].write(56)) == (
        "2,048", "56 pixels a side",
    )  # fmt: skip


def test_one_network_and_several_are_drawn_by_the_same_measures() -> None:
    assert {*PANELS} == {*MEASURES.values()}
    assert all(each.name == NAMES.get(what, each.name) for what, each in MEASURES.items())
