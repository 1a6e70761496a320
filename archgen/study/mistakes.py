"""What is wrong in a study file, said with its line."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from archgen import yamlfile
from archgen.columns import from_validation
from archgen.errors import ArchError, unknown
from archgen.study.definition import Limit, Pruner, Sampler, Study
from archgen.study.space import Branch, Choice, Range
from archgen.train.recipe import Recipe
from archgen.yamlfile import Loc


def mistake(error: ValidationError, document: yamlfile.Document) -> ArchError:
    """Say one of pydantic's complaints with the file's own path, line and alternatives."""
    found = error.errors(include_url=False)
    # A misspelt key is also a missing one: say the former.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    loc = _inside(document.value, first["loc"])
    if first["type"] == "missing":
        return at(document, (*loc, first["loc"][-1]), "this field is required")
    if first["type"] == "extra_forbidden":
        return at(document, loc, unknown("key", str(loc[-1]), _keys(first["loc"])))
    if first["type"] == "value_error":
        return at(document, loc, first["msg"].removeprefix("Value error, "))
    if first["type"] not in _ASKED:
        return at(document, loc, from_validation(error, "").message)
    asked = _ASKED[first["type"]].format(**first.get("ctx", {}))
    if len(found) > 1 and found[1]["loc"] == (*first["loc"][:-1], "float"):
        asked = "a number"
    given = first["input"]
    short = first["type"] in ("too_short", "too_long")
    return at(document, loc, f"give {asked}, not {len(given) if short else _short(given)}")


# What pydantic's types of complaints ask for.
_ASKED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_type": "a word",
    "string_pattern_mismatch": "small letters, digits and _, a letter first, 64 at most",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    """The keys that there are where pydantic found one that is not."""
    section: type[BaseModel] = Study
    if loc[0] == "vary":
        section = _VARY[str(loc[-2])]
    elif len(loc) > 1:
        section = _SECTIONS[str(loc[0])]
    known = [field.alias or name for name, field in section.model_fields.items()]
    return [*known, "any"] if section is Range else known


def _inside(value: Any, loc: Loc) -> Loc:
    """The parts of pydantic's place that the file has: without tags and types."""
    kept: list[str | int] = []
    for part in loc:
        entries = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(entries, dict) and part in entries:
            value = entries[part]
            kept.append(part)
    return tuple(kept)


_VARY: dict[str, type[BaseModel]] = {"range": Range, "choice": Choice, "branch": Branch}
_SECTIONS: dict[str, type[BaseModel]] = {
    "keep": Limit,
    "train": Recipe,
    "sampler": Sampler,
    "pruner": Pruner,
}


def at(document: yamlfile.Document, loc: Loc, message: str) -> ArchError:
    """Say what is wrong at a place of a document."""
    return ArchError(".".join(map(str, loc)), message, file=document.file, line=document.line(loc))
