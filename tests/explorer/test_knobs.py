from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archgen import files, load
from archgen.blocks import Block
from archgen.blocks.base import Fusion, Layer
from archgen.explorer import Knob, knobs, span
from archgen.joins import Join
from archgen.spec import Net

SPECS = files.names("specs")


def numbers(value: Any, path: str) -> Iterator[str]:
    """Walk plain data to its numbers."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in parts:
            yield from numbers(each, f"{path}.{key}")
    elif isinstance(value, int | float):
        yield path


def named(net: Net) -> dict[str, Knob]:
    return {knob.path: knob for knob in knobs(net)}


@pytest.mark.parametrize("name", SPECS)
def test_every_number_and_switch_of_a_spec_is_a_knob(name: str) -> None:
    net = load(name)
    found = named(net)
    said = {path for node, data in net.data()["nodes"].items() for path in numbers(data, node)}
    written = [knob for knob in found.values() if knob.written and knob.node]
    assert said == {knob.path for knob in written if isinstance(knob.value, int | float)}
    assert [found[f"input.{index}"].value for index in range(3)] == [*net.input]
    assert all(net.get(path) == found[path].value for path in said)


@pytest.mark.parametrize("name", SPECS)
def test_every_knob_may_be_set_to_what_it_is(name: str) -> None:
    net = load(name)
    for knob in knobs(net):
        if ".shortcut." in knob.path and isinstance(net.nodes[knob.node].shortcut, str):
            continue  # a plain word has no fields: `turn` writes the long form
        if knob.written or knob.value is not None:
            assert knob.path in named(net.set({knob.path: knob.value}))


def test_a_column_is_a_knob_for_each_of_its_numbers(net: Callable[..., Net]) -> None:
    found = named(
        net(
            "stem: {block: conv, width: 8}",
            "stages: {block: bottleneck, depth: [2, 2], width: {kind: additive, start: 8, alpha: 8}"
            ", dilation: [1, {first: 1, rest: 2}], stride: 2, se: {kind: cycle, of: [2, 4]}"
            ", shortcut: {join: dual, grow: [4, 6]}}",
        )
    )
    there = [path for path, knob in found.items() if knob.written and knob.node == "stages"]
    assert there == [
        "stages.depth.0", "stages.depth.1", "stages.width.start", "stages.width.alpha",
        "stages.dilation.0", "stages.dilation.1.first", "stages.dilation.1.rest", "stages.stride",
        "stages.se.of.0", "stages.se.of.1", "stages.shortcut.grow.0", "stages.shortcut.grow.1",
    ]  # fmt: skip
    assert not found["stages.width.alpha"].whole
    assert found["stages.width.alpha"].help == "widening factor: last width minus start"
    assert found["stages.width.start"].help.startswith("Grows by alpha / N a block")
    assert found["stages.se.of.1"].whole
    assert found["stages.se.of.1"].help.startswith("squeeze and excitation")


def test_a_knob_says_what_its_field_allows() -> None:
    found = named(load("dsnet50"))
    assert found["stages.act"].options[:2] == ("relu", "relu6")
    assert found["stages.shortcut.weight"].switch
    assert not found["stages.shortcut.weight"].written
    assert found["output_stride"].options == (None, 1, 2, 4, 8, 16, 32)
    assert found["init.conv"].options == ("he_fan_out", "he_fan_in", "default")
    se, kernel, dropout = found["stages.se"], found["stem.kernel"], found["head.dropout"]
    assert (se.value, se.number, se.optional, se.low) == (None, None, True, 1)
    assert (kernel.odd, kernel.low, kernel.high) == (True, 1, 31)
    assert (dropout.whole, dropout.low, dropout.high) == (False, 0, 1)


def test_streams_leave_width_and_stride_of_what_joins_them_to_the_maps() -> None:
    found = named(load("parnet_s"))
    assert not [path for path in found if path.startswith(("body.down", "body.fuse"))]
    assert found["body.streams"].value == 3
    assert named(load("densenet121"))["stages.between.theta"].value == 0.5
    assert named(load("densenet121"))["stages.between.eps"].written is False


@pytest.mark.parametrize("kind", [*Block.kinds, *Join.kinds])
def test_every_field_of_a_block_or_join_is_of_a_kind_that_is_drawn(
    kind: str, net: Callable[..., Net]
) -> None:
    owner = Block.kinds.get(kind) or Join.kinds[kind]
    needed = {key for key, field in owner.model_fields.items() if field.is_required()}
    fields = "".join(f", {key}: 8" for key in needed)
    if kind in Join.kinds:
        text = f"at: {{block: basic, depth: 1, width: 8, shortcut: {{join: {kind}{fields}}}}}"
    elif issubclass(Block.kinds[kind], Fusion):
        text = f"at: {{block: {kind}, from: [one, two]{fields}}}"
    elif issubclass(Block.kinds[kind], Layer):
        text = f"at: {{block: {kind}{fields}}}"
    else:
        text = f"at: {{block: {kind}, depth: 1{fields}}}"
    place = "at.shortcut." if kind in Join.kinds else "at."
    found = named(net("one: {block: conv, width: 8}", "two: {block: conv, width: 8}", text))
    for field in owner.model_fields:
        knob = found[f"{place}{field}"]
        assert knob.options or isinstance(knob.low, int | float), field


@pytest.mark.parametrize("name", SPECS)
def test_a_slider_goes_from_half_to_double_inside_the_field(name: str) -> None:
    for knob in knobs(load(name)):
        if knob.number is None or not (around := span(knob, knob.number)):
            assert knob.number in (None, 0)
            continue
        assert around.low < around.high
        assert around.low <= knob.number <= around.high
        assert knob.low is None or knob.low <= around.low
        assert knob.high is None or around.high <= knob.high
        steps = (knob.number - around.low) / around.step
        assert steps == pytest.approx(round(steps))
        if knob.number > 8:
            assert 0.5 <= around.low / knob.number <= 0.7
            assert 1.5 <= around.high / knob.number <= 2
        if knob.whole:
            assert all(isinstance(n, int) for n in (around.low, around.high, around.step))


@pytest.mark.parametrize(
    ("origin", "value", "whole", "ends"),
    [
        (64, 64, True, (32, 128, 4)),
        (64, 200, True, (32, 200, 4)),
        (64, 201, True, (32, 204, 4)),
        (64, 7, True, (4, 128, 4)),
        (3, 3, True, (1, 6, 1)),
        (1, 1, True, (1, 4, 1)),
        (84, 84, False, (44, 168, 4)),
        (4.75, 4.75, False, (2.55, 9.35, 0.2)),
        (2, 2, False, (1, 4, 0.1)),
        (0.001, 0.001, False, (0.0005, 0.002, 0.00005)),
        (-48, -48, False, (-96, -24, 2)),
    ],
)
def test_the_steps_of_a_slider(
    origin: float, value: float, whole: bool, ends: tuple[float, float, float]
) -> None:
    low = 1 if whole else None
    knob = Knob("x", "", "x", value, written=True, whole=whole, low=low)
    around = span(knob, origin)
    assert around is not None
    assert (around.low, around.high, around.step) == pytest.approx(ends)


def test_sliders_of_kernels_and_probabilities() -> None:
    kernel = Knob("k", "", "k", 7, written=True, whole=True, low=1, high=31, odd=True)
    around = span(kernel, 7)
    assert around is not None
    assert [*range(int(around.low), int(around.high) + 1, int(around.step))] == [
        1,
        3,
        5,
        7,
        9,
        11,
        13,
    ]
    dropout = Knob("d", "", "d", 0.0, written=True, low=0, high=1)
    around = span(dropout, 0.0)
    assert around is not None
    assert (around.low, around.high) == (0, 0.95)
    assert span(Knob("a", "", "a", 0.0, written=True, low=-1e6, high=1e6), 0.0) is None
