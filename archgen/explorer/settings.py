"""Fields of a pydantic model as settings that a form can ask for, from its JSON schema."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Kind = Literal["whole", "number", "flag", "choice", "text"]
_KINDS: dict[str, Kind] = {
    "integer": "whole",
    "number": "number",
    "boolean": "flag",
    "string": "text",
}


@dataclass(frozen=True)
class Setting:
    """One field.

    Args:
        path: Its dotted path: ``train.epochs``.
        label: Its name as words.
        kind: What it takes.
        value: What it is; None where it is not set.
        low: The least number, where there is one.
        high: The greatest number, where there is one.
        options: The words of a choice.
        help: What it is for.
    """

    path: str
    label: str
    kind: Kind
    value: Any
    low: float | None
    high: float | None
    options: tuple[str, ...]
    help: str


def settings(
    model: BaseModel, section: str = "", *, without: Collection[str] = ()
) -> list[Setting]:
    """The fields of a model that are one value each: lists and models in it are left out.

    Args:
        model: Whose values they have.
        section: What their paths begin with.
        without: Names of fields to leave out.
    """
    above = f"{section}." if section else ""
    properties = type(model).model_json_schema(mode="serialization")["properties"]
    found = (
        _setting(above + name, schema, getattr(model, name))
        for name, schema in properties.items()
        if name not in without
    )
    return [setting for setting in found if setting is not None]


def _setting(path: str, schema: Mapping[str, Any], value: Any) -> Setting | None:
    either = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    first = {**schema, **either[0]}
    options = tuple(first.get("enum", ())) if len(either) == 1 else ()
    kind = "choice" if options else _KINDS.get(first.get("type", ""))
    if kind is None:
        return None
    low = first.get("minimum", first.get("exclusiveMinimum"))
    high = first.get("maximum", first.get("exclusiveMaximum"))
    label = path.rpartition(".")[2].replace("_", " ").capitalize()
    return Setting(path, label, kind, value, low, high, options, schema.get("description", ""))


def nearest(path: str, places: Iterable[str]) -> str | None:
    """Find the setting that a mistake at a path is about: its own, one below it or one above."""
    known = [*places]
    near = [each for each in known if each.startswith(f"{path}.") or path.startswith(f"{each}.")]
    return path if path in known else next(iter(near), None)


def changed(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put values into nested plain data by their dotted paths; None takes a key away."""
    new = dict(data)
    for path, value in changes.items():
        first, _, rest = path.partition(".")
        if rest:
            new[first] = changed(new.get(first, {}), {rest: value})
        elif value is None:
            new.pop(first, None)
        else:
            new[first] = value
    return new
