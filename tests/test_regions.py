"""The module tree that names and flow imply."""

from __future__ import annotations

import pytest

from archgen.errors import ArchError
from archgen.graph import Builder
from archgen.regions import Region, is_list, regions


def child(region: Region, name: str) -> Region:
    return next(m for m in region.members if isinstance(m, Region) and m.name == name)


def test_tree_and_flow():
    builder = Builder((3, 8, 8))
    with builder.scope("stem"):
        x = builder.input.conv("conv", 3)
    with builder.scope("body"):
        with builder.scope("0"):
            y = x.conv("conv", 3)
        with builder.scope("1"):
            z = x.conv("conv", 3) + y
    graph = builder.graph("g", [z, y])
    root = regions(graph)
    assert [m.path for m in root.members if isinstance(m, Region)] == ["stem", "body"]
    stem, body = child(root, "stem"), child(root, "body")
    names = [call.name for call in graph.calls]
    assert [names[i] for i in stem.inputs] == ["input"]
    assert [names[i] for i in stem.outputs] == ["stem.conv"]
    assert [names[i] for i in body.inputs] == ["stem.conv"]
    assert [names[i] for i in body.outputs] == ["body.0.conv", "body.1.add"]
    assert [names[i] for i in child(body, "1").inputs] == ["stem.conv", "body.0.conv"]
    assert is_list(body.members)
    assert not is_list(root.members)
    assert not is_list(child(body, "1").members)


def test_a_module_that_is_left_and_entered_again_is_refused():
    builder = Builder((3, 8, 8))
    with builder.scope("a"):
        x = builder.input.conv("one", 3)
    with builder.scope("b"):
        x = x.conv("one", 3)
    with builder.scope("a"):
        x = x.conv("two", 3)
    with pytest.raises(ArchError, match=r"^a\.two: the module a is left and entered again"):
        regions(builder.graph("g", [x]))


@pytest.mark.parametrize(
    ("names", "wanted"), [("012", True), ("02", True), ("2", True), ("0a", False), ("10", False)]
)
def test_a_list_has_numbers_in_order(names: str, wanted: bool):
    builder = Builder((3, 8, 8))
    x = builder.input
    for name in names:
        with builder.scope(name):
            x = x.conv("conv", 3)
    assert is_list(regions(builder.graph("g", [x])).members) is wanted
