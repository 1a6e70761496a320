"""Networks side by side, as tables: figures, stages and specs, each compared with the first's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from archgen.explorer.entries import Entry, ratio
from archgen.ops import Shape, size
from archgen.spec import differences, merged
from archgen.view import exact, titled, value_words
from archgen.view.comparison import FIGURES

Match: TypeAlias = Literal["path", "stride"]
Counted: TypeAlias = Literal["macs", "params"]
COUNTS: tuple[Counted, ...] = ("macs", "params")
Row: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class Part:
    """A stage of a network, or all that it does at one resolution.

    Args:
        shape: Shape of the map that it gives.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
    """

    shape: Shape
    params: int
    macs: int


def over(label: str) -> str:
    """Name the column of how many times the first's a network's figures are."""
    return f"{label}: vs first"


def figure_rows(entries: Mapping[str, Entry]) -> list[Row]:
    """List the figures: of each network its own, and but for the first how many times its.

    Args:
        entries: The networks by label, at least one.
    """
    rows = []
    for what in FIGURES:
        values = {label: each.figure(what) for label, each in entries.items()}
        rows.append({"figure": titled(what)} | dict(_against_first(values, what)))
    return rows


def stage_table(entries: Mapping[str, Entry], match: Match, what: Counted) -> list[Row]:
    """List stages: of each network a count, how many times the first's it is, and the output.

    Args:
        entries: The networks by label, at least one.
        match: Which stages stand in one row: those of one path, or all of one stride, summed up.
        what: The count.
    """
    parts = {label: _parts(each, match) for label, each in entries.items()}
    keys = _merged([[*each] for each in parts.values()])
    if match == "stride":
        keys.sort(key=_by_stride)
    rows = []
    for key in keys:
        values = {label: getattr(each.get(key), what, None) for label, each in parts.items()}
        counts = dict(_against_first(values, what))
        row: Row = {match: key}
        for label, each in parts.items():
            row |= {name: counts[name] for name in (label, over(label)) if name in counts}
            row[f"{label}: output"] = _shape(each.get(key))
        rows.append(row)
    return rows


def spec_rows(entries: Mapping[str, Entry]) -> list[Row]:
    """List what the specs do not all say alike, by dotted path.

    What is only written in two ways, and gives every block the same value, is left out.

    Args:
        entries: The networks by label, at least one.
    """
    (label, first), *others = entries.items()
    firsts: dict[str, Any] = {}
    theirs: dict[str, dict[str, Any]] = {}
    orders = []
    for name, other in others:
        found = [each for each in differences(first.net, other.net) if not each.same]
        firsts |= {each.path: each.first for each in found}
        theirs[name] = {each.path: each.second for each in found}
        orders.append([each.path for each in found])
    return [
        {"path": path, label: value_words(firsts[path])}
        | {name: value_words(own.get(path, firsts[path])) for name, own in theirs.items()}
        for path in _merged(orders)
    ]


def _parts(each: Entry, match: Match) -> dict[str, Part]:
    """Give a network's stages by path, or its strides in words."""
    found: dict[str, Part] = {}
    for row in each.stages:
        key = row.path if match == "path" else str(row.stride or "vector")
        before = found.get(key, Part((), 0, 0))
        found[key] = Part(row.shape, before.params + row.params, before.macs + row.macs)
    return found


def _by_stride(key: str) -> tuple[bool, int]:
    """Sort strides as numbers, with vectors behind."""
    return not key.isdigit(), int(key) if key.isdigit() else 0


def _merged(orders: Sequence[Sequence[str]]) -> list[str]:
    names: list[str] = []
    for order in orders:
        names = merged(names, order)
    return names


def _shape(part: Part | None) -> str:
    return "-" if part is None else size(part.shape)


def _against_first(values: Mapping[str, int | None], what: str) -> Iterator[tuple[str, str]]:
    first = next(iter(values.values()))
    for place, (label, value) in enumerate(values.items()):
        yield label, exact(what, value)
        if place:
            times = ratio(value, first)
            yield over(label), "-" if times is None else "equal" if times == 1 else f"{times:.3f}x"
