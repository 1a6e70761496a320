"""Every number, choice and switch of a spec as data of a control, from the fields of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from archgen.blocks import Block
from archgen.columns import parse_schedule
from archgen.joins import Join
from archgen.spec import Net
from archgen.spec.parts import Init, Inner, Node

if TYPE_CHECKING:
    from pydantic import BaseModel

Scalar: TypeAlias = int | float | str | bool | None
Schema: TypeAlias = Mapping[str, Any]
_SIDES = ("channels", "height", "width")


@dataclass(frozen=True)
class Knob:
    """One value of a spec that may be another.

    Args:
        path: Its dotted path, as `Net.set` takes it.
        node: The node that it belongs to; "" for what belongs to the whole network.
        name: What it is called there: ``group_width.ratio``.
        value: What the spec says, or the default.
        written: Whether the spec says it itself.
        options: All it may be; empty for a number.
        whole: Whether it is a whole number.
        low: The least that its field allows; None without such a bound.
        high: The most.
        odd: Whether only odd numbers are allowed.
        optional: Whether it may be absent.
        help: What it means; may be empty.
    """

    path: str
    node: str
    name: str
    value: Scalar
    written: bool
    options: tuple[Scalar, ...] = ()
    whole: bool = False
    low: float | None = None
    high: float | None = None
    odd: bool = False
    optional: bool = False
    help: str = ""

    @property
    def switch(self) -> bool:
        """Whether it is on or off."""
        return self.options == (False, True)

    @property
    def number(self) -> int | float | None:
        """Its value, if that is a number now: another cost may then decide it."""
        if self.options or not isinstance(self.value, int | float):
            return None
        return self.value


def knobs(net: Net) -> list[Knob]:
    """List what may be turned, in the order of the spec: what it says, then what it leaves out.

    Names, papers and wiring are not among it, nor which block a node has.

    Args:
        net: A valid spec; that it can be lowered is not asked.
    """
    found = [*_of_net(net)]
    for name, node in net.nodes.items():
        own = [*_of_node(name, node)]
        found += sorted(own, key=lambda knob: not knob.written)
    return found


def _of_net(net: Net) -> Iterator[Knob]:
    sides = _fields(Net)["input"]["prefixItems"]
    for index, (side, value) in enumerate(zip(_SIDES, net.input, strict=True)):
        yield _knob(f"input.{index}", f"input {side}", "", value, sides[index], written=True)
    schema = _fields(Net)["output_stride"]
    said = net.output_stride is not None
    yield _knob("output_stride", "output_stride", "", net.output_stride, schema, written=said)
    for key, schema in _fields(Init).items():
        said = key in net.init.model_fields_set
        value = getattr(net.init, key)
        yield _knob(f"init.{key}", f"init.{key}", "", value, schema, written=said)


def _of_node(name: str, node: Node) -> Iterator[Knob]:
    for key in ("depth", "streams"):
        if (value := getattr(node, key)) is not None:
            number = _fields(Node)[key] | {"anyOf": _fields(Node)[key]["anyOf"][:1]}
            yield from _leaves(f"{name}.{key}", value, number)
    yield from _of_fields(name, node.fields, Block.kinds[node.block])
    join = {key: value for key, value in node.join.items() if key != "join"}
    kind = Join.kinds[node.join["join"]]
    long = not isinstance(node.shortcut, str)
    yield from _of_fields(f"{name}.shortcut", join, kind, written=long)
    for key in ("between", "down", "fuse"):
        inner: Inner | None = getattr(node, key)
        if inner is not None:
            own = [*_of_fields(f"{name}.{key}", inner.fields, Block.kinds[inner.block])]
            # Of what joins streams, width and stride follow from the maps.
            yield from (knob for knob in own if knob.written or key == "between")


def _of_fields(
    path: str, values: Mapping[str, Any], owner: type[BaseModel], *, written: bool = True
) -> Iterator[Knob]:
    """List the fields of a block or join; `written` tells whether its values are the spec's."""
    schemas = _fields(owner)
    for field in dict.fromkeys([*values, *schemas]):
        schema = schemas[field]
        if field in values:
            yield from _leaves(f"{path}.{field}", values[field], schema, written=written)
        elif "default" in schema:
            yield from _leaves(f"{path}.{field}", schema["default"], schema, written=False)


def _leaves(path: str, value: Any, schema: Schema, *, written: bool = True) -> Iterator[Knob]:
    """Go down a column to its numbers."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(f"{path}.{index}", each, schema, written=written)
    elif isinstance(value, dict):
        parts = _parts(value, path)
        for key, each in value.items():
            if key != "kind":
                yield from _leaves(f"{path}.{key}", each, parts.get(key, schema), written=written)
    else:
        node, _, name = path.partition(".")
        yield _knob(path, name, node, value, schema, written=written)


def _parts(value: Mapping[str, Any], path: str) -> Mapping[str, Schema]:
    """Give the fields of a schedule that are its own: not the values that it holds."""
    if "kind" not in value:
        return {}
    rule = type(parse_schedule(dict(value), path))
    said = (rule.__doc__ or "").partition("\n")[0]
    own = {key: schema for key, schema in _fields(rule).items() if schema.get("type") != "array"}
    return {key: {"description": said} | schema for key, schema in own.items()}


def _knob(
    path: str, name: str, node: str, value: Scalar, schema: Schema, *, written: bool
) -> Knob:  # fmt: skip
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind, optional = kinds[0], "anyOf" in schema and len(kinds) < len(schema["anyOf"])
    options = (False, True) if kind["type"] == "boolean" else tuple(kind.get("enum", ()))
    return Knob(
        path=path,
        node=node,
        name=name,
        value=value,
        written=written,
        options=(None, *options) if options and optional else options,
        whole=kind["type"] == "integer",
        low=kind.get("minimum", kind.get("exclusiveMinimum")),
        high=kind.get("maximum", kind.get("exclusiveMaximum")),
        odd=kind.get("not") == {"multipleOf": 2},
        optional=optional,
        help=schema.get("description", ""),
    )


@cache
def _fields(owner: type[BaseModel]) -> dict[str, Any]:
    """Give the JSON Schema of each field; cached, there are as many as classes."""
    fields: dict[str, Any] = owner.model_json_schema().get("properties", {})
    return fields
