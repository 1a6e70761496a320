from __future__ import annotations

import pytest

from archgen import files, load
from archgen.explorer import Shown, curves, forms, knobs, turn


def test_a_resnet_becomes_a_pyramid() -> None:
    shown = Shown("resnet50")
    ways = forms(curves(shown.net())["stages.width"])
    assert [*ways] == [
        "one value", "list", "first and rest",
        "additive", "cycle", "geometric", "multiplicative", "quantised",
    ]  # fmt: skip
    assert ways["list"] == [64, 128, 256, 512]
    assert ways["geometric"] == {"kind": "geometric", "start": 64, "ratio": 2.0}
    for form, value in ways.items():
        after = turn(shown, "stages.width", value)
        assert after.refused is None
        values = curves(after.shown.net())["stages.width"].values
        assert (values[0], values[-1]) == (64, 64 if form == "one value" else 512)
        assert any(knob.path.startswith("stages.width") for knob in knobs(after.shown.net()))


def test_a_steep_line_starts_with_the_first_number() -> None:
    way = forms(curves(load("resnet18"))["stages.width"])["additive"]
    assert way == {"kind": "additive", "start": 64, "alpha": 448}


def test_first_and_rest_keep_how_a_stage_opens() -> None:
    net = load("drn_a_50")
    ways = forms(curves(net)["stages.dilation"])
    assert ways["first and rest"][2] == {"first": 1, "rest": 2}
    same = net.set({"stages.dilation": ways["first and rest"]})
    assert same.graph().digest == net.graph().digest


def test_numbers_that_are_all_the_same_get_something_to_turn() -> None:
    curve = curves(load("wrn28_10").set({"stages.width": 160}))["stages.width"]
    assert forms(curve)["geometric"] == {"kind": "geometric", "start": 160, "ratio": 1.41421}


def test_real_numbers_have_no_schedule() -> None:
    assert [*forms(curves(load("dpn68"))["stages.eps"])] == ["one value", "list", "first and rest"]


@pytest.mark.parametrize("name", files.names("specs"))
def test_a_column_written_as_it_is_gives_the_same_network(name: str) -> None:
    net = load(name)
    for path, curve in curves(net).items():
        steady = all(len({*stage}) == 1 for stage in curve.stages)
        if steady and not path.startswith("output") and not net.nodes[path.split(".")[0]].streams:
            same = net.set({path: forms(curve)["list"]})
            assert same.graph().digest == net.graph().digest
