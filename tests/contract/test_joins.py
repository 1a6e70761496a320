"""What every join must keep, found in `Join.kinds`: a new class is covered as it stands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from archgen.errors import ArchError
from archgen.graph import check
from archgen.joins import SHORTHANDS, Join
from archgen.spec import Net, parse

KINDS = sorted(Join.kinds)
FIELDS = [(kind, field) for kind in KINDS for field in Join.kinds[kind].model_fields]
BRANCHES: list[dict[str, Any]] = [
    {"block": "bottleneck_preact", "width": [8, 12], "expand": 2, "stride": 2},
    {"block": "bottleneck", "width": [[16, 24], [32, 32]], "expand": 2},
    {"block": "basic", "width": [32, 64], "stride": [1, 2]},
    {"block": "dense_layer"},
]
Values = Callable[[type[Join], str], list[Any]]


def wrap(branch: dict[str, Any], shortcut: dict[str, Any]) -> Net:
    """Put a join over a branch into a minimal net of two stages with two units each."""
    node = {**branch, "depth": [2, 2], "shortcut": shortcut}
    nodes = {"stem": {"block": "conv", "width": 32}, "node": node}
    return Net.of({"name": "tiny", "input": [3, 16, 16], "nodes": nodes})


def needed(kind: str, values: Values) -> dict[str, Any]:
    """Give values to the fields that a join requires."""
    fields = Join.kinds[kind].model_fields
    return {f: values(Join.kinds[kind], f)[3] for f, info in fields.items() if info.is_required()}


def surroundings(kind: str, field: str, values: Values) -> Iterator[dict[str, Any]]:
    """Give every combination of words for the other fields, each left out as well."""
    join = Join.kinds[kind]
    choices = {
        name: [None, *values(join, name)]
        for name in join.model_fields
        if name != field and isinstance(values(join, name)[0], str | bool)
    }
    for combination in product(*choices.values()):
        given = zip(choices, combination, strict=True)
        base = {name: value for name, value in given if value is not None}
        yield {key: v for key, v in {**needed(kind, values), **base}.items() if key != field}


@pytest.mark.parametrize("kind", KINDS)
def test_it_builds(kind: str, values: Values):
    built = 0
    refused: list[ArchError] = []
    for branch in BRANCHES:
        try:
            made = wrap(branch, {"join": kind, **needed(kind, values)})
            check(made.graph())
        except ArchError as error:
            refused.append(error)
            continue
        built += 1
        assert parse(made.dump()).digest() == made.digest()
    assert built
    assert all(error.path for error in refused)


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_every_field_matters(kind: str, field: str, values: Values):
    """In one and the same surrounding, other values give other graphs; each word another one."""
    tried = values(Join.kinds[kind], field)
    wanted = len(tried) if isinstance(tried[0], str | bool) else 2
    most = 0
    for base in surroundings(kind, field, values):
        for branch in BRANCHES:
            digests = set()
            for value in tried:
                try:
                    digests.add(wrap(branch, {"join": kind, **base, field: value}).graph().digest)
                except ArchError:
                    continue
            most = max(most, len(digests))
        if most >= wanted:
            return
    pytest.fail(f"only {most} different graphs from {field} in {tried}")


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_default_is_what_is_meant_without_the_field(kind: str, field: str, values: Values):
    info = Join.kinds[kind].model_fields[field]
    if info.is_required():
        return
    same = 0
    for base in surroundings(kind, field, values):
        for branch in BRANCHES:
            try:
                without = wrap(branch, {"join": kind, **base}).graph().digest
                given = wrap(branch, {"join": kind, **base, field: info.default}).graph().digest
            except ArchError:
                continue
            assert given == without
            same += 1
    assert same


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_is(kind: str):
    doc = inspect.cleandoc(Join.kinds[kind].__dict__.get("__doc__") or "")
    assert len(doc) > 40
    undescribed = [f for f, i in Join.kinds[kind].model_fields.items() if not i.description]
    # What has no description is explained in the docstring: "field: ..." or in its words.
    assert all(field in doc or field in ("norm", "affine") for field in undescribed)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_refused(kind: str, values: Values):
    with pytest.raises(ArchError, match=f"nodes.node.shortcut.nonsense: no field of join '{kind}'"):
        wrap(BRANCHES[0], {"join": kind, "nonsense": 1, **needed(kind, values)})


def test_shorthands_lead_to_joins():
    for long in SHORTHANDS.values():
        fields = {key: value for key, value in long.items() if key != "join"}
        Join.kinds[long["join"]].model_validate(fields)
