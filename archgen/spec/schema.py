"""The JSON Schema of specs, made from the fields of blocks and joins, for editors.

It accepts every valid spec. It cannot see what only lowering sees: lengths of lists, groups
that do not divide, shapes that do not fit.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter

from archgen.blocks import Block, Branch, Fusion
from archgen.columns import AnySchedule
from archgen.joins import SHORTHANDS, Join
from archgen.spec import names
from archgen.spec.net import Net
from archgen.spec.parts import Node

Schema: TypeAlias = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REFS = "#/$defs/{model}"
_NOTES = ("description", "default")
_REPLACED = ("Inner", "Node")
_STACKED = ("depth", "shortcut", "between", "streams", "down", "fuse")
"""Keys of a node that only a branch takes."""


def spec_schema() -> Schema:
    """Give the JSON Schema (draft 2020-12) of spec files, with all blocks known now."""
    return _Writer().write()


class _Writer:
    """Collects definitions while it writes."""

    def __init__(self) -> None:
        self.defs: Schema = {}
        self.columns: dict[str, str] = {}

    def write(self) -> Schema:
        top = self._model(Net)
        schedule = _untitled(TypeAdapter(AnySchedule).json_schema(ref_template=_REFS))
        self.defs |= schedule.pop("$defs")
        self.defs["schedule"] = {"anyOf": schedule["oneOf"]}
        for kind, join in Join.kinds.items():
            self.defs[f"join_{kind}"] = self._object(join, "join", kind, {}, column=True)
        self.defs["join"] = {"anyOf": [_ref(f"join_{kind}") for kind in Join.kinds]}
        self._keys()
        for kind, block in Block.kinds.items():
            self.defs[f"inner_{kind}"] = self._inner(block, kind)
            self.defs[f"node_{kind}"] = self._node(block, kind)
        self.defs["inner"] = {"anyOf": [_ref(f"inner_{kind}") for kind in Block.kinds]}
        self.defs["node"] = {"anyOf": [_ref(f"node_{kind}") for kind in Block.kinds]}
        nodes = top["properties"]["nodes"]
        nodes["additionalProperties"] = _ref("node")
        nodes["propertyNames"] = {
            "pattern": f"^{names.PATTERN.pattern}$",
            "not": {"enum": sorted({*names.TOP_LEVEL, *names.MODULE_ATTRIBUTES})},
        }
        top["properties"]["name"]["pattern"] = f"^{names.PATTERN.pattern}$"
        defs = {name: self.defs[name] for name in sorted(self.defs) if name not in _REPLACED}
        return {"$schema": DRAFT} | top | {"title": "archgen spec", "$defs": defs}

    def _model(self, model: type[BaseModel]) -> Schema:
        """Give a model's own schema; its definitions go to ours."""
        schema: Schema = _untitled(model.model_json_schema(ref_template=_REFS))
        self.defs |= schema.pop("$defs", {})
        return schema

    def _keys(self) -> None:
        """Define what a node takes beside its block's fields."""
        for key, said in self._model(Node)["properties"].items():
            note = {"description": said.get("description", "")}
            if key == "shortcut":
                said = note | {"anyOf": [{"enum": list(SHORTHANDS)}, _ref("join")]}
            elif key in ("between", "down", "fuse"):
                said = note | _ref("inner")
            if key != "block":
                self.defs[f"key_{key}"] = said

    def _node(self, block: type[Block], kind: str) -> Schema:
        branch, fusion = issubclass(block, Branch), issubclass(block, Fusion)
        keys = {key: _ref(f"key_{key}") for key in (("from", *_STACKED) if branch else ("from",))}
        shape = self._object(block, "block", kind, keys, column=branch)
        self.defs[f"unit_{kind}"] = shape | {"required": ["block"]}
        needed = [*shape["required"], *(["from"] if fusion else [])]
        properties = shape["properties"]
        named = {"anyOf": [properties["block"], _ref(f"unit_{kind}")]}
        inside = {"properties": {"block": {"type": "object"}}}
        either = {"anyOf": [{"required": needed}, inside]}
        return shape | either | {"properties": properties | {"block": named}, "required": ["block"]}

    def _inner(self, block: type[Block], kind: str) -> Schema:
        """Describe a block in ``between``, ``down`` or ``fuse``: the node may fill in fields."""
        shape = self._object(block, "block", kind, {}, column=False)
        return shape | {"required": ["block"]}

    def _object(
        self, model: type[BaseModel], tag: str, kind: str, keys: Schema, *, column: bool
    ) -> Schema:
        """Describe one block or join with all its fields."""
        own = self._model(model)
        fields = own.get("properties", {})
        if column:
            fields = {name: self._column(name, field) for name, field in fields.items()}
        constant = {"const": kind, "description": own.get("description", "")}
        return {
            "type": "object",
            "description": own.get("description", ""),
            "properties": {tag: constant, **keys, **fields},
            "required": [tag, *own.get("required", [])],
            "additionalProperties": False,
        }

    def _column(self, name: str, field: Schema) -> Schema:
        """Let a field be a scalar, a list, first-and-rest or a schedule."""
        notes = {key: value for key, value in field.items() if key in _NOTES}
        scalar = {key: value for key, value in field.items() if key not in _NOTES}
        written = json.dumps(scalar, sort_keys=True)
        if written not in self.columns:
            label = f"column_{name}"
            if label in self.defs:
                label += f"_{len(self.columns)}"
            self.columns[written] = label
            self.defs[label] = _column_of(scalar)
        return notes | _ref(self.columns[written])


def _column_of(scalar: Schema) -> Schema:
    pair = {
        "type": "object",
        "description": "a value for the first block of each stage, another for the rest",
        "properties": {"first": scalar, "rest": scalar},
        "required": ["first", "rest"],
        "additionalProperties": False,
    }
    each = [scalar, {"type": "array", "items": scalar}, pair, _ref("schedule")]
    listed = {
        "type": "array",
        "description": "one entry a stage (a block, where depth is a number)",
        "items": {"anyOf": each},
    }
    return {"anyOf": [scalar, listed, pair, _ref("schedule")]}


def _untitled(schema: Any) -> Any:
    """Drop the titles that pydantic makes of names, and defaults that are only absence."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _untitled(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and (key, value) != ("default", None)
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
