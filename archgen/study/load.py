"""Read a study file and refuse whatever could go wrong later. No torch, no Optuna."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archgen import files, yamlfile
from archgen.errors import ArchError, unknown
from archgen.spec import Net, load, parse
from archgen.study.definition import COSTS, TRAINED, Study, candidate
from archgen.study.mistakes import at, mistake
from archgen.study.solve import solve
from archgen.study.space import GRID, NESTED, Branch, Choice, Range, Space, everything, label, walk
from archgen.train.adapt import adapt
from archgen.yamlfile import Loc


def load_study(name_or_path: str | Path, *, root: Path | None = None) -> Study:
    """Load a study by the name of a shipped one (``pyramid``) or from a YAML file.

    Its spec is made to fit its data: `Study.changes` says how.

    Args:
        name_or_path: Of the study.
        root: Where data sets lie; by default `archgen.train.datasets.DEFAULT_ROOT`.

    Raises:
        ArchError: No such study, or a mistake in it, with file and line: an unknown key, a path
            that the spec does not have, an end of a range that does not build or not fit the data.
    """
    return _checked(*_read(str(name_or_path)), root)


def parse_study(
    text: str, spec: str = "", *, file: str = "study.yaml", spec_file: str = "spec.yaml"
) -> Study:
    """Check a study that lies in no file, as `load_study` does.

    Args:
        text: The study as YAML.
        spec: Its spec as YAML; without it the study names a shipped one.
        file: What messages call the study.
        spec_file: What they call the spec.

    Raises:
        ArchError: A mistake in the study or its spec, with its line.
    """
    document = yamlfile.parse(text, file)
    return _checked(_built(document, lambda study: _given(study, spec, spec_file)), document, None)


def _given(study: Study, spec: str, file: str) -> Net:
    if spec:
        return parse(spec, file)
    if study.spec not in files.names("specs"):
        message = f"{study.spec!r} is none of the shipped specs (archgen list); give the spec too"
        raise ArchError("", message)
    return load(study.spec)


def _checked(study: Study, document: yamlfile.Document, root: Path | None) -> Study:
    """Make a study's spec fit its data, and refuse what could go wrong later."""
    data, dropout = study.train.data, study.train.head_dropout
    try:
        fitting = adapt(study.net, data, root=root, head_dropout=dropout)
    except ArchError as error:
        raise at(document, ("train", "data"), str(error)) from None
    study._net, study._changes, study._root = fitting.net, fitting.changes, root
    for loc, message in _complaints(study):
        raise at(document, loc, message)
    return study


def read_study(file: Path) -> Study:
    """Read the study in a search's folder: checked when that began, its data need not be here.

    Raises:
        ArchError: There is none, or it is damaged.
    """
    study, _ = _read(str(file))
    study._searched = True
    return study


def _read(name_or_path: str) -> tuple[Study, yamlfile.Document]:
    """Read a study and its spec as they are written."""
    document = yamlfile.read(files.find("studies", name_or_path))
    file = Path(document.file)
    return _built(document, lambda study: load(_spec_of(study, file))), document


def _built(document: yamlfile.Document, net_of: Callable[[Study], Net]) -> Study:
    """Make a study of what is written, and its spec."""
    if "nodes" in document.value and "vary" not in document.value:
        message = "this is the spec of a network, not a study: a study names a spec and has `vary`"
        raise ArchError("", message, file=document.file)
    try:
        study = Study.model_validate(document.value)
    except ValidationError as error:
        raise mistake(error, document) from None
    try:
        study._net = net_of(study)
        study._net.graph()
    except ArchError as error:
        raise at(document, ("spec",), str(error)) from None
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
    yield from _solved(study)
    if not TRAINED.keys() & study.score.keys():
        yield ("score",), "at least one score must come from training: top1 or loss"
    yield from _clashes(study.vary, ("vary",), frozenset())
    yield from _grid(study)
    yield from _ends(study, study.vary, ("vary",), {}, {})


def _solved(study: Study) -> Iterator[tuple[Loc, str]]:
    """Why a number cannot be solved for."""
    asked = [(cost, limit.by) for cost, limit in study.keep.items() if limit.by is not None]
    for cost, by in asked:
        loc: Loc = ("keep", cost, "by")
        if cost != asked[0][0]:
            message = f"a number is solved for {asked[0][0]} already"
            yield loc, f"{message}; bound {cost} by max and min"
            continue
        if by in _paths(study.vary):
            yield loc, f"{by} varies too; a number is either varied or solved for"
        above, _, last = by.rpartition(".")
        if last.isdecimal() and above in _paths(study.vary):
            yield loc, f"{above} varies too, and {by} is a part of it"
        try:
            solve(study, {})
        except ArchError as error:
            yield loc, str(error)


def _clashes(vary: Space, loc: Loc, above: frozenset[str]) -> Iterator[tuple[Loc, str]]:
    """Paths that would vary twice in one candidate, and values nested too deep."""
    if loc.count("vary") > NESTED + 1:
        yield loc, f"values with parameters of their own stand in one another {NESTED} deep at most"
        return
    paths = {path: _paths({path: each}) for path, each in vary.items()}
    for path, each in vary.items():
        if path in above:
            message = "varies outside this value too; in one candidate a path varies only once"
            yield (*loc, path), message
        beside = above.union({path}, *(paths[other] for other in vary if other != path))
        for index, branch in _branches(each):
            yield from _clashes(branch.vary, (*loc, path, "any", index, "vary"), beside)


def _paths(vary: Space) -> set[str]:
    """All paths that vary, under some value or under all."""
    below = (branch.vary for each in vary.values() for _, branch in _branches(each))
    return set(vary).union(*map(_paths, below))


def _branches(vary: Range | Choice) -> Iterator[tuple[int, Branch]]:
    """The values with parameters of their own, each with its place in the list."""
    if isinstance(vary, Choice):
        for index, entry in enumerate(vary.any):
            if isinstance(entry, Branch):
                yield index, entry


def _grid(study: Study) -> Iterator[tuple[Loc, str]]:
    """Why a grid cannot hold all combinations."""
    if study.sampler.kind != "grid":
        return
    if study.size is None:
        endless = [
            name
            for name, each in everything(study.vary).items()
            if isinstance(each, Range) and each.size is None
        ]
        yield ("sampler", "kind"), f"a grid has an end: give {endless[0]} a step, or whole numbers"
    elif study.size > GRID:
        message = f"a grid has at most {GRID:,} combinations, these are {study.size:,}; qmc spreads"
        yield ("sampler", "kind"), f"{message} as many as are trained evenly"


def _ends(
    study: Study,
    vary: Space,
    loc: Loc,
    chosen: Mapping[str, Any],
    filled: Mapping[str, Any],
) -> Iterator[tuple[Loc, str]]:
    """Ends of ranges and values of choices that do not build.

    What stands under a value need not build alone: a value may need several parameters. So each
    is also tried beside the first values of those that always come with it.

    Args:
        study: Whose spec they are put into.
        vary: What varies there.
        loc: Its place in the file.
        chosen: The values that all this stands under.
        filled: The same and a first value for what comes with them.
    """
    for path, each in vary.items():
        beside = vary if chosen else {path: each}
        for place, value in each.ends():
            alone = _refusal(study, {**chosen, path: value})
            both = alone and _refusal(study, {**filled, **_first(beside, {path: value})})
            # Where they differ, the parameters under the value have to answer.
            if alone and both and (str(alone) == str(both) or not _has_branch(each, value)):
                said = alone.message if alone.path == path else f"{alone.path}: {alone.message}"
                yield (*loc, path, *place), f"{label(value)} does not build: {said}"
        for index, branch in _branches(each):
            first = {**filled, **_first(beside, {path: branch.value})}
            below = _paths(branch.vary)
            yield from _ends(
                study,
                branch.vary,
                (*loc, path, "any", index, "vary"),
                {**chosen, path: branch.value},
                {other: value for other, value in first.items() if other not in below},
            )


def _first(vary: Space, given: Mapping[str, Any]) -> dict[str, Any]:
    """The first value of each parameter by path, but for those that are given."""
    found = walk(vary, lambda _, path, each: given[path] if path in given else each.at(0.0))
    return {parameter.path: parameter.value for parameter in found}


def _has_branch(vary: Range | Choice, value: Any) -> bool:
    return isinstance(vary, Choice) and bool(vary.under(value))


def _refusal(study: Study, values: Mapping[str, Any]) -> ArchError | None:
    """Why a candidate does not build, if it does not."""
    try:
        candidate(study, {**values, **solve(study, values)})
    except ArchError as error:
        return error
    return None
