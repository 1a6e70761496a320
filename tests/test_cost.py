"""Costs that one can add up by hand, and those of known networks."""

from __future__ import annotations

import pytest

from archgen import Cost, cost
from archgen.graph import Builder
from archgen.spec import parse

DPN131 = """
name: dpn131
input: [3, 224, 224]
nodes:
  stem:   {block: conv_pool, width: 128, kernel: 7, eps: 0.001}
  stages:
    block:    bottleneck_preact
    depth:    [4, 8, 28, 3]
    stride:   [1, 2, 2, 2]
    groups:   40
    group_width: {kind: geometric, start: 4, ratio: 2}
    out:      {kind: geometric, start: 256, ratio: 2}
    shortcut: {join: dual, grow: [16, 32, 32, 128]}
    eps:      0.001
  head:   {block: norm_pool_linear, classes: 1000, eps: 0.001}
"""
RESNET18 = """
name: resnet18
input: [3, 224, 224]
nodes:
  stem: {block: conv_pool, width: 64}
  stages: {block: basic, depth: [2, 2, 2, 2], width: [64, 128, 256, 512], stride: [1, 2, 2, 2],
    shortcut: projection}
  head: {block: pool_linear}
"""


def test_a_small_net_by_hand(net):
    made = net("a: {block: conv_norm, width: 4, stride: 2}", "h: {block: pool_linear, classes: 5}")
    params = 3 * 4 * 9 + 2 * 4 + (4 * 5 + 5)
    macs = 4 * 16 * 16 * 27 + 4 * 5
    graph = made.graph()
    assert cost(made) == Cost("tiny", params, 8, macs, 4 * 16 * 16 + 5, 2, batch=1, graph=graph)
    assert cost(made.graph()) == cost(made)


def test_published_networks():
    """As measured on timm and torchvision."""
    counted = cost(parse(DPN131))
    assert (counted.params, counted.buffers, counted.macs, counted.depth) == (
        79_254_504,
        223_360,
        16_013_648_896,
        131,
    )
    counted = cost(parse(RESNET18))
    assert (counted.params, counted.buffers, counted.macs, counted.depth) == (
        11_689_512,
        9_600,
        1_814_073_344,
        18,
    )


def test_depth_is_the_longest_path_to_an_output(net):
    nodes = (
        "a: {block: conv, depth: 3, width: 8}",
        "b: {block: conv, width: 8, from: input}",
        "c: {block: sum, from: [a, b]}",
    )
    assert cost(net(*nodes)).depth == 3
    assert cost(net(*nodes, "d: {block: conv, from: b, width: 8}", outputs=["c", "d"])).depth == 3
    assert cost(net("a: {block: conv, width: 8}", outputs=["a"])).depth == 1


def test_a_graph_without_weights_costs_nothing():
    builder = Builder((3, 8, 8))
    graph = builder.graph("g", [builder.input.act()])
    assert cost(graph) == Cost("g", 0, 0, 0, 0, 0, batch=1, graph=graph)


@pytest.mark.parametrize("field", ["name", "params", "buffers", "macs", "activations", "depth"])
def test_costs_are_whole_numbers_of_any_size(net, field: str):
    made = net(
        "a: {block: conv_norm, width: 65536, kernel: 31}",
        "b: {block: conv_norm, width: 65536, kernel: 31}",
        image=(4096, 8192, 8192),
    )
    value = getattr(cost(made), field)
    assert type(value) is (str if field == "name" else int)
    assert cost(made).params == 65536 * (4096 + 65536) * 31**2 + 4 * 65536
