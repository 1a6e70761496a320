"""Layers side by side: by hand on small graphs, and what the shipped networks have of them."""

from __future__ import annotations

import networkx as nx
import pytest

from archgen import cost, files, load
from archgen.analysis import concurrency, parallelism
from archgen.graph import Builder, Graph, add
from archgen.ops import Mul
from archgen.passes.fold import fold


def uneven() -> Graph:
    """Two branches, of one layer and of three, with 100 positions each."""
    builder = Builder((2, 10, 10))
    x = builder.input.conv("stem", 4, 3)
    short = x.conv("short", 4, 5).norm("norm").act()
    long = x.conv("a", 4).act().conv("b", 4).conv("c", 4)
    return builder.graph("uneven", [(short + long).conv("last", 8)])


def test_branches_by_hand():
    graph = uneven()
    found = parallelism(graph)
    assert found.generations == (("stem",), ("short", "a"), ("b",), ("c",), ("last",))
    assert concurrency(graph) == 2
    macs = {"stem": 2 * 4 * 9, "short": 4 * 4 * 25, "a": 16, "b": 16, "c": 16, "last": 32}
    assert found.macs == 100 * sum(macs.values())
    assert found.critical_macs == 100 * (macs["stem"] + macs["short"] + macs["last"])
    assert found.gain == (72 + 400 + 48 + 32) / (72 + 400 + 32)


def test_layers_side_by_side_need_not_be_of_one_generation():
    """Behind `first`, of a chain of three and of three single layers: one of each can wait."""
    builder = Builder((4, 8, 8))
    x = builder.input.conv("first", 4)
    y, ends = builder.input, []
    for number in range(3):
        y = y.conv(f"chain_{number}", 4)
        ends.append(y.conv(f"tap_{number}", 4))
    graph = builder.graph("g", [add([x, *ends])])
    found = parallelism(graph)
    assert max(map(len, found.generations)) == 2
    assert found.generations[0] == ("first", "chain_0")
    assert concurrency(graph) == 4


def test_a_gate_is_no_layer_on_a_path_but_has_macs():
    builder = Builder((4, 8, 8))
    x = builder.input.conv("conv", 4, 3)
    graph = builder.graph("g", [(x * x.gate("gate")).conv("last", 4)])
    found = parallelism(graph)
    assert found.generations == (("conv",), ("last",))
    assert concurrency(graph) == 1
    # The path through the gate is the heavier one: nothing can run beside it.
    assert found.macs == found.critical_macs == cost(graph).macs == 64 * (9 + 1) * 16 + 16


def test_a_network_without_layers():
    builder = Builder((4, 8, 8))
    graph = builder.graph("g", [builder.input.act()])
    found = parallelism(graph)
    assert (found.generations, concurrency(graph), found.gain) == ((), 0, 1.0)


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec(name: str):
    net = load(name)
    counts, found = cost(net), parallelism(net)
    assert len(found.generations) == counts.depth
    assert found.macs == counts.macs
    assert 0 < found.critical_macs <= counts.macs
    assert max(map(len, found.generations)) <= concurrency(net)


@pytest.mark.parametrize("name", ["parnet_digits", "dpn_digits", "mixed_digits", "dsnet_digits"])
def test_generations_and_concurrency_as_networkx_has_them(name: str):
    """The graph of layers that follow each other, gates left out."""
    graph = load(name).graph()
    dag = graph.dag.copy()
    for call in graph.calls:
        if isinstance(call.op, Mul):
            dag.remove_edge(graph.calls[call.inputs[1]].name, call.name)
    ends = {graph.calls[end].name for end in graph.outputs}
    dag = dag.subgraph(ends.union(*(nx.ancestors(dag, end) for end in ends)))
    layers = [name for name, op in dag.nodes("op") if op.weighted]
    closed = nx.transitive_closure_dag(dag).subgraph(layers)
    generations = [set(each) for each in nx.topological_generations(closed)]
    assert [set(each) for each in parallelism(graph).generations] == generations
    assert concurrency(graph) == max(map(len, nx.antichains(closed)))


def test_the_streams_of_parnet():
    """Three streams; while it is trained, each has two convolutions side by side."""
    trained = load("parnet_s").graph()
    deployed = fold(trained).graph
    assert (concurrency(trained), concurrency(deployed)) == (6, 3)
    found = parallelism(deployed)
    assert [len(each) for each in found.generations] == [1, 1, 2, 3, 3, 3, 3, 2, 2, 1, 1, 1]
    assert found.generations[5] == (
        "body.at4.3.spatial",
        "body.at8.2.spatial",
        "body.at16.1.spatial",
    )
    slowest = [f"body.at16.{unit}" for unit in range(5)]
    path = ["at2", "at4", "at8", "at16", *slowest, "body.at16_fuse", "at32"]
    macs = {call.name: call.op.macs(call.shape) for call in deployed.calls}
    assert found.macs == sum(macs.values())
    assert found.critical_macs == sum(macs[f"{each}.spatial"] for each in path) + 1280 * 1000
    assert 2.1 < found.gain < 2.2


def test_a_network_of_one_path_gains_nothing():
    assert parallelism(fold(load("repvgg_a0").graph()).graph).gain == 1
    assert parallelism(load("densenet121")).gain == 1
