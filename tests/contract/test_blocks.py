"""What every block must keep, found in `Block.kinds`: a new class is covered as it stands."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archgen import cost, source
from archgen.blocks import Block, Branch, Fusion, Layer
from archgen.errors import ArchError
from archgen.graph import Graph, check
from archgen.joins import Join
from archgen.spec import Net, parse

KINDS = sorted(Block.kinds)
BRANCHES = [kind for kind in KINDS if issubclass(Block.kinds[kind], Branch)]
FIELDS = [(kind, field) for kind in KINDS for field in Block.kinds[kind].model_fields]

# Ways to give a block the width that it needs, and company for fields that act together.
BASES: list[dict[str, Any]] = [
    {"width": 8},
    {},
    {"width": 8, "out": 24},
    {"groups": 2, "group_width": 4},
    {"groups": 2},
]
JOINS: dict[str, dict[str, Any]] = {
    "none": {"join": "none"},
    "add": {"join": "add"},
    "dense": {"join": "dense"},
    "dual": {"join": "dual", "grow": 4},
    "concat": {"join": "concat", "grow": 4},
}
"""Every join with what it needs."""
# Names that mean the same everywhere need no description of their own.
PLAIN = {"width", "kernel", "stride", "dilation", "eps", "act", "dropout", "classes", "groups"}


def wrap(kind: str, fields: dict[str, Any], join: str = "add") -> Net:
    """Put a block into a minimal net."""
    node: dict[str, Any] = {"block": kind, **fields}
    if issubclass(Block.kinds[kind], Branch):
        node |= {"depth": 2, "shortcut": JOINS[join]}
    if issubclass(Block.kinds[kind], Fusion):
        node["from"] = ["stem", "side"]
    nodes: dict[str, Any] = {"stem": {"block": "conv", "width": 8}}
    if issubclass(Block.kinds[kind], Fusion):
        nodes["side"] = {"block": "conv", "width": 8, "from": "input"}
    nodes["node"] = {"from": "stem", **node}
    return Net.of({"name": "tiny", "input": [3, 16, 16], "nodes": nodes})


def graphs(kind: str, fields: dict[str, Any], joins: tuple[str, ...] = ("add",)) -> Iterator[Graph]:
    """Lower a block in every base that has only fields of it, where that is allowed."""
    for base in BASES:
        if base.keys() - Block.kinds[kind].model_fields.keys():
            continue
        for join in joins:
            try:
                yield wrap(kind, {**base, **fields}, join).graph()
            except ArchError:
                continue


def test_every_kind_is_a_layer_a_branch_or_a_fusion():
    for kind in KINDS:
        block = Block.kinds[kind]
        assert block.kind == kind
        assert sum(issubclass(block, each) for each in (Layer, Branch, Fusion)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_builds(kind: str):
    graph = next(graphs(kind, {}, tuple(JOINS)))
    check(graph)
    names = [name for name, *_ in graph.params()]
    assert len(set(names)) == len(names)
    assert cost(graph).params > 0
    ast.parse(source(graph))


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_every_field_matters(
    kind: str, field: str, values: Callable[[type[Block], str], list[Any]]
):
    """In one and the same surrounding, other values give other graphs; each word another one."""
    block = Block.kinds[kind]
    tried = values(block, field)
    needed = len(tried) if isinstance(tried[0], str) else 2
    most = 0
    for base in BASES:
        if base.keys() - block.model_fields.keys():
            continue
        for join in JOINS if issubclass(block, Branch) else ("none",):
            digests = set()
            for value in tried:
                try:
                    digests.add(wrap(kind, {**base, field: value}, join).graph().digest)
                except ArchError:
                    continue
            most = max(most, len(digests))
    assert most >= needed, f"{most} different graphs from {field} in {tried}"


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_default_is_what_is_meant_without_the_field(kind: str, field: str):
    default = Block.kinds[kind].model_fields[field].get_default()
    if default is None or Block.kinds[kind].model_fields[field].is_required():
        return
    for base in BASES:
        if field in base or base.keys() - Block.kinds[kind].model_fields.keys():
            continue
        try:
            without = wrap(kind, base).graph().digest
            named = wrap(kind, {**base, field: default}).graph().digest
        except ArchError:
            continue
        assert named == without


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_is(kind: str):
    block = Block.kinds[kind]
    doc = inspect.cleandoc(block.__dict__.get("__doc__") or "")
    summary = doc.split("\n\n")[0]
    assert len(summary) > 25
    assert summary.endswith(".")
    family = sys.modules[block.__module__].__doc__ or ""
    sources = ("arXiv:", *(f"`{other}`" for other in KINDS))
    plain = any(word in family for word in ("stem", "Stem", "head", "without weights"))
    assert plain or any(source in doc + family for source in sources)


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_its_fields_are_documented(kind: str, field: str):
    info = Block.kinds[kind].model_fields[field]
    assert info.description or field in PLAIN
    assert info.is_required() or info.get_default() is None or info.default is not None


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_and_wrong_types_are_refused(kind: str):
    block = Block.kinds[kind]
    with pytest.raises(ArchError, match=r"nodes\.node\.nonsense: no field of block"):
        wrap(kind, {"nonsense": 1})
    width = {"width": 8} if "width" in block.model_fields else {}
    for field in block.model_fields:
        with pytest.raises(ArchError):
            wrap(kind, {**width, field: "?"}).graph()


@pytest.mark.parametrize("join", sorted(Join.kinds))
@pytest.mark.parametrize("kind", BRANCHES)
def test_any_branch_under_any_join_builds_or_says_why_not(kind: str, join: str):
    found = 0
    refused: list[ArchError] = []
    for base in BASES:
        if base.keys() - Block.kinds[kind].model_fields.keys():
            continue
        try:
            made = wrap(kind, base, join)
            graph = made.graph()
        except ArchError as error:
            refused.append(error)
            continue
        found += 1
        check(graph)
        ast.parse(source(graph))
        assert parse(made.dump()).digest() == made.digest()
        out = graph.calls[graph.outputs[0]].shape
        assert out[1:] == (16, 16)
    assert found, "no way to use this branch under this join"
    assert all(error.path and error.message for error in refused)


@pytest.mark.parametrize("join", sorted(Join.kinds))
@pytest.mark.parametrize("kind", BRANCHES)
def test_any_branch_is_squeezed_and_excited_before_any_join(kind: str, join: str):
    """Hu et al. 2017, table 1: two biased 1x1 convolutions, C to C/r to C; the rest as it was."""
    found = 0
    for base in BASES:
        if base.keys() - Block.kinds[kind].model_fields.keys():
            continue
        try:
            plain = wrap(kind, base, join).graph()
        except ArchError:
            continue
        found += 1
        graph = wrap(kind, {**base, "se": 4}, join).graph()
        check(graph)
        ast.parse(source(graph))
        gates = [call for call in graph.calls if call.name.endswith(".se.expand")]
        assert [call.name for call in gates] == ["node.0.se.expand", "node.1.se.expand"]
        channels = [call.shape[0] for call in gates]
        added = sum(2 * c * (c // 4) + c // 4 + c for c in channels)
        assert cost(graph).params == cost(plain).params + added
        assert cost(graph).macs == cost(plain).macs + sum(2 * c * (c // 4) for c in channels)
        assert cost(graph).depth == cost(plain).depth
        ends = (graph.calls[graph.outputs[0]], plain.calls[plain.outputs[0]])
        assert ends[0].shape == ends[1].shape
    assert found
