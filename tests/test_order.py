"""Modules run in the order that holds least memory; they are written in the graph's."""

from __future__ import annotations

from archgen import load
from archgen.analysis import peak_bytes
from archgen.codegen import source
from archgen.graph import Builder, Graph
from archgen.order import arranged
from archgen.regions import Region

UNIT = 4 * 8 * 8
"""Bytes of one channel of an 8x8 map."""


def steps(graph: Graph, region: Region) -> list[str]:
    return [
        member.name if isinstance(member, Region) else graph.calls[member].name
        for member in region.steps
    ]


def two_branches() -> Graph:
    """A branch whose result is large, and one that needs much and gives little."""
    builder = Builder((4, 8, 8))
    x = builder.input
    large = x.conv("large", 32)
    small = x.conv("wide", 64).conv("narrow", 4)
    return builder.graph("branches", [large.cat(small)])


def test_a_branch_that_needs_much_runs_before_one_whose_result_waits():
    graph = two_branches()
    assert steps(graph, arranged(graph)) == ["wide", "narrow", "large", "cat"]
    assert peak_bytes(graph) == (32 + 4 + 36) * UNIT
    body = source(graph)
    assert body.index("self.large = ") < body.index("self.wide = ")
    assert body.index("self.wide(x)") < body.index("self.large(x)")


def test_modules_are_arranged_as_wholes():
    builder = Builder((4, 8, 8))
    x = builder.input
    with builder.scope("large"):
        large = x.conv("conv", 32)
    with builder.scope("small"):
        with builder.scope("inner"):
            small = x.conv("one", 64)
        small = small.conv("two", 4)
    graph = builder.graph("streams", [large.cat(small)])
    assert steps(graph, arranged(graph)) == ["small", "large", "cat"]
    assert peak_bytes(graph) == (32 + 4 + 36) * UNIT


def test_the_order_stays_where_nothing_is_gained():
    """Here the branches again, but what follows needs more than either order does."""
    builder = Builder((4, 8, 8))
    x = builder.input
    with builder.scope("branches"):
        large = x.conv("large", 32)
        small = x.conv("wide", 64).conv("narrow", 4)
        x = large.cat(small)
    x = x.conv("huge", 256).conv("last", 4)
    graph = builder.graph("more", [x])
    root = arranged(graph)
    branches = root.steps[0]
    assert isinstance(branches, Region)
    assert branches.steps == branches.members
    assert peak_bytes(graph) == (36 + 256 + 4) * UNIT


def test_many_branches_are_left_as_they_are():
    """The number of orders is beyond any search; it ends all the same."""
    builder = Builder((4, 8, 8))
    first, *others = [builder.input.conv(f"wide{i}", 64).conv(f"c{i}", i + 1) for i in range(40)]
    graph = builder.graph("wide", [first.cat(*others)])
    assert peak_bytes(graph) > 0


def test_a_variable_that_is_no_longer_read_gives_its_memory_back():
    """Of two such variables the one is assigned to next that holds more."""
    text = source(load("parnet_s"))
    assert "        y = y + z\n        z = torch.sigmoid(" in text


def test_what_shipped_networks_hold():
    """MiB for one image; the same networks in the order of their graphs hold more, up to 24 %."""
    found = {name: round(peak_bytes(load(name)) / 2**20, 2) for name in ("dpn68", "parnet_s")}
    assert found == {"dpn68": 7.97, "parnet_s": 9.33}
