"""What differs between two specs, by meaning and not by spelling."""

from __future__ import annotations

from typing import Any

import pytest

from archgen.spec import Difference, differences, load, merged, parse

STAGED = """
name: net
input: [3, 32, 32]
nodes:
  stem:   {block: conv_norm, width: 8}
  stages: {block: basic, depth: [2, 2, 2], width: [8, 16, 32], stride: [1, 2, 2],
    shortcut: projection}
  head:   {block: pool_linear, classes: 10}
"""
BASE = parse(STAGED)
DOUBLING = {"kind": "geometric", "start": 8, "ratio": 2}
CYCLE = {"kind": "cycle", "of": [8, 16]}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        ({"name": "other"}, []),
        ({"init.conv": "he_fan_out", "stages.dilation": 1, "stem.stride": 1}, []),
        ({"stages.shortcut": {"join": "add", "down": "conv"}}, []),
        ({"stages.width": DOUBLING}, [("stages.width", [8, 16, 32], DOUBLING, True)]),
        ({"stages.stride": {"kind": "geometric", "start": 1, "ratio": 2}},
         [("stages.stride", [1, 2, 2], {"kind": "geometric", "start": 1, "ratio": 2}, False)]),
        ({"stages.dilation": [1, 1, 1]}, [("stages.dilation", 1, [1, 1, 1], True)]),
        ({"stages.dilation": [1, 1, 2]}, [("stages.dilation", 1, [1, 1, 2], False)]),
        ({"stages.width": {**DOUBLING, "start": 16}},
         [("stages.width", [8, 16, 32], {**DOUBLING, "start": 16}, False)]),
        ({"input": [3, 64, 64]}, [("input", [3, 32, 32], [3, 64, 64], False)]),
        ({"init.linear_bias": "zero"}, [("init.linear_bias", "default", "zero", False)]),
        ({"output_stride": 2}, [("output_stride", None, 2, False)]),
        ({"outputs": ["stages"], "head.classes": 100},
         [("outputs", ["head"], ["stages"], False), ("head.classes", 10, 100, False)]),
        ({"head.from": "stages"}, []),
        ({"head.from": "stages.1"}, [("head.from", ["stages"], ["stages.1"], False)]),
        ({"stages.shortcut": "none"}, [("stages.shortcut.join", "add", "none", False)]),
        ({"stages.between": {"block": "conv", "width": 8}},
         [("stages.between.block", None, "conv", False),
          ("stages.between.width", None, 8, False)]),
    ],
)  # fmt: skip
def test_what_differs(values: dict[str, Any], found: list[tuple[str, Any, Any, bool]]):
    other = BASE.set(values) if values else parse(STAGED)
    assert differences(BASE, other) == [Difference(*each) for each in found]
    turned = [Difference(path, b, a, same) for path, a, b, same in found]
    assert differences(other, BASE) == turned


def test_values_that_are_the_same_for_one_depth_alone_differ():
    """Two blocks a stage, or three: the cycle meets the list in the first case only."""
    listed = BASE.set({"stages.width": [[8, 16], [8, 16], [8, 16]], "stages.depth": [2, 2, 2]})
    cycled = BASE.set({"stages.width": CYCLE, "stages.depth": [2, 2, 2]})
    (found,) = differences(listed, cycled)
    assert found == Difference("stages.width", [[8, 16]] * 3, CYCLE, same=True)
    deeper = cycled.set({"stages.depth": [3, 3, 3]})
    depth, width = differences(listed, deeper)
    assert depth == Difference("stages.depth", [2, 2, 2], [3, 3, 3], same=False)
    assert not width.same


def test_a_node_that_only_one_has():
    found = differences(load("drn_a_18"), load("drn_c_26"))
    degrid = next(each for each in found if each.path == "degrid")
    assert degrid.first is None
    assert degrid.second["block"] == "basic"
    assert not [each for each in found if each.path.startswith("degrid.")]


@pytest.mark.parametrize("name", ["dpn98", "parnet_s", "densenet121", "dsnet50"])
def test_a_spec_differs_from_no_copy_of_itself(name: str):
    net = load(name)
    assert differences(net, parse(net.dump())) == []


def test_specs_that_differ_in_spelling_alone_are_one_network():
    """Same for every block, by the differences, is the same graph."""
    other = BASE.set({"stages.width": DOUBLING, "stages.dilation": [1, 1, 1]})
    assert all(each.same for each in differences(BASE, other))
    assert BASE.digest() == other.digest()


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("abc", "abc", "abc"),
        ("", "ab", "ab"),
        ("ace", "abcde", "abcde"),
        ("ab", "ba", "ba"),
    ],
)
def test_merged(first: str, second: str, both: str):
    assert merged([*first], [*second]) == [*both]
