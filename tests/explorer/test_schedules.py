from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from archgen import cost, files, load
from archgen.explorer import Tile, cost_csv, curve_chart, curves, tiles
from archgen.inverse import COSTS
from archgen.spec import Net
from archgen.view import NAMES, FigurePair, figure_pairs, stage_rows


def test_a_schedule_gives_each_unit_its_width() -> None:
    curve = curves(load("pyramidnet110_a48"))["stages.width"]
    assert [len(stage) for stage in curve.stages] == [18, 18, 18]
    assert curve.values == [int(16 + 48 * unit / 54 + 0.5) for unit in range(1, 55)]
    assert curve.names == ("stage 0", "stage 1", "stage 2")
    assert curve.means == "channels of the 3x3 convolution"
    assert not curve.flat


def test_a_stride_acts_where_a_stage_opens() -> None:
    found = curves(load("resnet18"))
    assert found["stages.stride"].stages == ((1, 1), (2, 1), (2, 1), (2, 1))
    assert "stem.width" not in found


def test_a_column_of_a_shortcut_is_a_curve() -> None:
    found = curves(load("dpn92"))
    assert [each[0] for each in found["stages.shortcut.grow"].stages] == [16, 32, 24, 128]
    assert "stages.shortcut.join" not in found


def test_only_streams_that_run_are_shown() -> None:
    net = load("parnet_s")
    curve = curves(net)["body.width"]
    assert curve.names == ("at4", "at8", "at16")
    assert curve.stages == ((92,) * 4, (192,) * 5, (384,) * 5)
    assert curves(net.set({"body.streams": 1}))["body.width"].stages == ((384,) * 5,)


def test_what_each_unit_gives_is_a_curve() -> None:
    found = curves(load("densenet121"))["output of stages"]
    assert [len(stage) for stage in found.stages] == [6, 13, 25, 17]
    assert [stage[-1] for stage in found.stages] == [256, 512, 1024, 1024]
    streams = curves(load("mixed_cifar"))["output of body"]
    assert streams.names == ("stages.1", "stages.2")
    assert streams.stages == ((64, 64), (128, 128))


def test_a_plain_list_of_units_has_no_stages(net: Callable[..., Net]) -> None:
    curve = curves(net("a: {block: basic, depth: 3, width: [4, 8, 8], shortcut: projection}"))[
        "a.width"
    ]
    assert (curve.names, curve.stages) == ((), ((4, 8, 8),))
    assert curve_chart(curve, None).layout["annotations"] == []


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_unit_of_a_stack_has_its_value(name: str) -> None:
    net = load(name)
    for curve in curves(net).values():
        json.dumps(curve_chart(curve, curve).data)
        stack = net.nodes.get(curve.path.partition(".")[0])
        if stack is not None and stack.streams is None:
            depths = stack.depth if isinstance(stack.depth, list) else [stack.depth]
            assert [len(stage) for stage in curve.stages] == depths


def test_a_curve_is_drawn_over_what_it_was() -> None:
    net = load("pyramidnet110_a48")
    before, now = (curves(each)["stages.width"] for each in (net, net.set({"stages.depth.0": 20})))
    chart = curve_chart(now, before)
    was, line = chart.data
    # 18 units a stage: the second and third stages stand above those of before.
    assert (was["x"], line["x"]) == ([*range(1, 19), *range(21, 57)], [*range(1, 57)])
    assert was["customdata"] == [*range(1, 55)]
    assert (was["name"], was["line"]["dash"]) == ("before", "dash")
    assert (line["name"], line["y"][-1]) == ("now", 64)
    assert [shape["x0"] for shape in chart.layout["shapes"]] == [20.5, 38.5]
    assert [each["x"] for each in chart.layout["annotations"]] == [10.5, 29.5, 47.5]
    assert chart.said == "stages.width of 56 units: from 17 to 64; before from 17 to 64."
    assert len(curve_chart(now, None).data) == 1


def test_figures_say_what_they_were() -> None:
    net = load("dpn131")
    same, turned = cost(net), cost(net.set({"stages.groups": 32}))
    assert [tile.change for tile in tiles(figure_pairs(same, same))] == [""] * 7
    found = {tile.label: tile for tile in tiles(figure_pairs(turned, same))}
    assert found["Parameters"] == Tile(
        "Parameters", "65,113,064", "-17.8%", "79.3M", "Learned scalars"
    )
    assert (found["Layers"].value, found["Layers"].change, found["Layers"].before) == (
        "131",
        "",
        "",
    )
    assert found["Saved for backward"].before == "291.0 MiB"


def test_a_receptive_field_may_be_none() -> None:
    gone, come = tiles([FigurePair("receptive_field", None, 9), FigurePair("params", 9, None)])
    assert (gone.value, gone.change, gone.before) == ("-", "", "9 px")
    assert (come.value, come.change, come.before) == ("9", "", "-")


def test_every_cost_that_can_be_held_has_a_name() -> None:
    assert {*COSTS} <= {*NAMES}


def test_the_table_of_costs_adds_up() -> None:
    net = load("dpn68")
    rows = [*csv.DictReader(io.StringIO(cost_csv(net)))]
    assert [row["path"] for row in rows] == [row.path for row in stage_rows(net)]
    assert sum(int(row["params"]) for row in rows) == cost(net).params
    assert sum(int(row["macs"]) for row in rows) == cost(net).macs
    assert rows[1]["shape"] == "144x56x56"
