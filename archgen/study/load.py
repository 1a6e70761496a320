"""Read a study file and refuse whatever could go wrong later. No torch, no Optuna."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from archgen import files, yamlfile
from archgen.columns import from_validation
from archgen.errors import ArchError, unknown
from archgen.spec import load
from archgen.study.space import (
    COSTS,
    TRAINED,
    Choice,
    Limit,
    Pruner,
    Range,
    Sampler,
    Study,
    candidate,
)
from archgen.train.datasets import check_fit
from archgen.train.recipe import Recipe
from archgen.yamlfile import Loc


def load_study(name_or_path: str | Path) -> Study:
    """Load a study by the name of a shipped one (``pyramid``) or from a YAML file.

    Raises:
        ArchError: No such study, or a mistake in it, with file and line: an unknown key, a path
            that the spec does not have, an end of a range that does not build or not fit the data.
    """
    document = yamlfile.read(files.find("studies", str(name_or_path)))
    try:
        study = Study.model_validate(document.value)
    except ValidationError as error:
        raise _mistake(error, document) from None
    try:
        study._net = load(_spec_of(study, Path(document.file)))
        study.net.graph()
    except ArchError as error:
        raise _at(document, ("spec",), str(error)) from None
    for loc, message in _complaints(study):
        raise _at(document, loc, message)
    return study


def _spec_of(study: Study, file: Path) -> str | Path:
    if study.spec.endswith((".yaml", ".yml")) or "/" in study.spec:
        return file.parent / study.spec
    return study.spec


def _complaints(study: Study) -> Iterator[tuple[Loc, str]]:
    """Yield (place, message) of what pydantic cannot see."""
    for key in study.keep:
        if key not in COSTS:
            yield ("keep", key), unknown("cost", key, COSTS)
    for key, direction in study.score.items():
        if key not in TRAINED and key not in COSTS:
            yield ("score", key), unknown("score", key, [*TRAINED, *COSTS])
        if TRAINED.get(key, direction) != direction:
            yield ("score", key), f"{key} can only be {TRAINED[key]}d"
    if not TRAINED.keys() & study.score.keys():
        yield ("score",), "at least one score must come from training: top1 or loss"
    try:
        check_fit(study.train.data, study.net.input, study.net.graph().classes)
    except ArchError as error:
        yield ("train", "data"), error.message
    for path, vary in study.vary.items():
        for place, value in vary.ends():
            try:
                candidate(study, {path: value})
            except ArchError as error:
                said = f"{error.path}: {error.message}" if error.path != path else error.message
                yield ("vary", path, *place), f"{json.dumps(value)} does not build: {said}"


def _mistake(error: ValidationError, document: yamlfile.Document) -> ArchError:
    """Say one of pydantic's complaints with the file's own path, line and alternatives."""
    found = error.errors(include_url=False, include_context=False)
    # A misspelt key is also a missing one: say the former.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    loc = _inside(document.value, first["loc"])
    message = from_validation(error, "").message
    if first["type"] == "missing":
        loc = (*loc, first["loc"][-1])
    elif first["type"] == "extra_forbidden":
        section = _SECTIONS.get(str(loc[0]), Study) if len(loc) > 1 else Study
        if loc[0] == "vary":
            section = Choice if "choice" in first["loc"] else Range
        known = [field.alias or name for name, field in section.model_fields.items()]
        message = unknown("key", str(loc[-1]), known)
    elif first["type"] == "model_type":
        message = f"give a mapping, not {first['input']!r}"
    elif first["type"] == "value_error":
        message = first["msg"].removeprefix("Value error, ")
    return _at(document, loc, message)


def _inside(value: Any, loc: Loc) -> Loc:
    """The parts of pydantic's place that the file has: without tags and types."""
    kept: list[str | int] = []
    for part in loc:
        entries = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(entries, dict) and part in entries:
            value = entries[part]
            kept.append(part)
    return tuple(kept)


_SECTIONS: dict[str, type[BaseModel]] = {
    "keep": Limit,
    "train": Recipe,
    "sampler": Sampler,
    "pruner": Pruner,
}


def _at(document: yamlfile.Document, loc: Loc, message: str) -> ArchError:
    return ArchError(".".join(map(str, loc)), message, file=document.file, line=document.line(loc))
