from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archgen import files, yamlfile
from archgen.blocks.base import Block, Branch
from archgen.joins import Join
from archgen.spec.schema import DRAFT, spec_schema
from archgen.study import Study

SPECS = files.names("specs")


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = spec_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def spec(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yamlfile.read(files.find("specs", name)).value
    return data


def texts(schema: Any) -> Iterator[str]:
    """Yield all texts that a person would read."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "description" and isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            yield from texts(value)


@pytest.mark.parametrize("name", SPECS)
def test_every_spec_is_valid(name: str, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(spec(name))] == []


def test_all_ways_to_write_a_column_are_valid(validator: Draft202012Validator) -> None:
    for width in [
        8, [8, 16], [[8, 8], [16, 16]], {"first": 8, "rest": 16}, [{"first": 8, "rest": 16}, 8],
        {"kind": "additive", "start": 16, "alpha": 48}, [{"kind": "cycle", "of": [8, 16]}, 8],
        {"kind": "geometric", "start": 16, "ratio": 2},
        {"kind": "quantised", "start": 24, "slope": 36.5, "ratio": 2.5},
    ]:  # fmt: skip
        stages = {"block": "basic", "depth": [2, 2], "width": width, "shortcut": "projection"}
        data = {"name": "x", "input": [3, 32, 32], "nodes": {"stages": stages}}
        assert validator.is_valid(data), width


def test_a_whole_unit_may_stand_under_block(validator: Draft202012Validator) -> None:
    data = spec("resnet18")
    stages = data["nodes"]["stages"]
    stages["block"] = {"block": "basic_preact", "se": 4, "shortcut": {"join": "dual", "grow": 4}}
    data["nodes"]["stem"] = {"block": {"block": "conv_pool", "width": 64}}
    assert validator.is_valid(data)
    stages["block"]["widht"] = 8
    assert not validator.is_valid(data)
    stages["block"] = {"se": 4}
    assert not validator.is_valid(data)


WRONG: dict[str, tuple[str, Any]] = {
    "misspelt top-level key": ("inputs", [3, 8, 8]),
    "misspelt key of a node": ("nodes.stages.widht", 8),
    "unknown block": ("nodes.stages.block", "bottelneck"),
    "no block": ("nodes.stages.block", None),
    "unknown join": ("nodes.stages.shortcut", {"join": "dul"}),
    "unknown shorthand": ("nodes.stages.shortcut", "projecton"),
    "misspelt key of a join": ("nodes.stages.shortcut.grwo", 3),
    "unknown schedule": ("nodes.stages.out", {"kind": "geomtric", "start": 1, "ratio": 2}),
    "misspelt key of a schedule": ("nodes.stages.out", {"kind": "geometric", "start": 1, "r": 2}),
    "text for a number": ("nodes.stages.groups", "many"),
    "fraction for a whole number": ("nodes.stages.groups", 1.5),
    "negative": ("nodes.stages.groups", -1),
    "zero": ("nodes.stages.stride", 0),
    "huge": ("nodes.stages.group_width", 10**9),
    "truth value for a number": ("nodes.stages.eps", True),
    "first without rest": ("nodes.stages.dilation", {"first": 1}),
    "wrong activation": ("nodes.stages.act", "rleu"),
    "depth of zero": ("nodes.stages.depth", [3, 0]),
    "two numbers of input": ("input", [224, 224]),
    "output stride of three": ("output_stride", 3),
    "shadowing name": ("nodes.forward", {"block": "pool_linear"}),
    "name that is a path": ("name", "../evil"),
    "column on a layer": ("nodes.head.classes", [10, 10]),
    "depth on a layer": ("nodes.head.depth", 3),
    "fusion without from": ("nodes.mid", {"block": "sum"}),
    "layer without its width": ("nodes.stem", {"block": "conv_pool"}),
    "wrong initialisation": ("init", {"conv": "he"}),
    "wrong arXiv number": ("paper.arxiv", "1707/01629"),
}


@pytest.mark.parametrize("path_and_value", WRONG.values(), ids=WRONG)
def test_mistakes_are_invalid(
    path_and_value: tuple[str, Any], validator: Draft202012Validator
) -> None:
    path, value = path_and_value
    data = deepcopy(spec("dpn131"))
    assert validator.is_valid(data)
    *parents, last = path.split(".")
    target: Any = data
    for key in parents:
        target = target[key]
    target[last] = value
    assert not validator.is_valid(data)


def test_schema_speaks_of_every_block_join_and_field() -> None:
    schema = spec_schema()
    assert schema["$schema"] == DRAFT
    for kind, block in Block.kinds.items():
        node = schema["$defs"][f"node_{kind}"]
        assert set(block.model_fields) <= set(node["properties"])
        assert ("depth" in node["properties"]) == issubclass(block, Branch)
        for name, field in block.model_fields.items():
            if field.description:
                assert node["properties"][name]["description"] == field.description
    for kind, join in Join.kinds.items():
        assert set(join.model_fields) <= set(schema["$defs"][f"join_{kind}"]["properties"])
    assert all(text.strip() == text for text in texts(schema))


@pytest.mark.parametrize("name", files.names("studies"))
def test_studies_are_valid_by_their_schema(name: str) -> None:
    schema = Study.model_json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    data = yamlfile.read(files.find("studies", name)).value
    assert [error.message for error in validator.iter_errors(data)] == []
    assert not validator.is_valid({**data, "tirals": 3})
    assert not validator.is_valid({**data, "vary": {"stages.width": {"form": 1, "to": 3}}})


def test_a_kernel_is_odd(validator: Draft202012Validator) -> None:
    data = spec("resnet18")
    for kernel in (3, 7, 4):
        data["nodes"]["stem"]["kernel"] = kernel
        assert validator.is_valid(data) == (kernel % 2 == 1)
