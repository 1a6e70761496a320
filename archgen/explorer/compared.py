"""Networks side by side, as tables: figures, stages and specs, each held against the first's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from archgen.analysis import Cost, cost
from archgen.explorer.shown import Shown
from archgen.ops import Shape, size
from archgen.spec import Net, differences, merged
from archgen.view import (
    DepthRow,
    StageRow,
    depth_rows,
    endings,
    exact,
    plain,
    stage_rows,
    titled,
    value_words,
)
from archgen.view.comparison import FIGURES

MOST = 6
"""Networks side by side: as many as there are colours, and columns on a screen."""
Match: TypeAlias = Literal["path", "stride"]
Counted: TypeAlias = Literal["macs", "params"]
COUNTS: tuple[Counted, ...] = ("macs", "params")
LONGEST = 48
"""Characters of a label."""
Row: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A network of a comparison.

    Args:
        label: What it is called beside the others.
        net: Its spec, changes included.
        costs: What it costs.
        stages: Its stages.
        units: The input and its units, along its depth.
    """

    label: str
    net: Net
    costs: Cost
    stages: Sequence[StageRow]
    units: Sequence[DepthRow]

    def figure(self, what: str) -> int | None:
        """Give one of `FIGURES`; None where there is no such number."""
        value: int | None = getattr(self.costs, what)
        return value


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


def entry(shown: Shown) -> Entry:
    """Count what a network costs as a whole, by stage and by unit.

    Raises:
        ArchError: As `Shown.net` does, or the spec cannot be lowered.
    """
    net = shown.net()
    return Entry(_label(net, shown.changes), net, cost(net), stage_rows(net), depth_rows(net))


def labelled(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Give each network by its label; a label that another has already is numbered."""
    found: dict[str, Entry] = {}
    for each in entries:
        label, number = each.label, 2
        while label in found:
            label, number = f"{each.label} ({number})", number + 1
        found[label] = each
    return found


def ratio(value: int | None, first: int | None) -> float | None:
    """Give a figure over the first's; None without both, or over nothing."""
    return value / first if value is not None and first else None


def over(label: str) -> str:
    """Name the column that holds a network against the first."""
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


def inputs_differ(entries: Mapping[str, Entry]) -> str:
    """Say that the networks see inputs of different sizes; "" where they do not."""
    inputs: dict[Shape, list[str]] = {}
    for label, each in entries.items():
        inputs.setdefault(each.net.input, []).append(label)
    if len(inputs) < 2:
        return ""
    said = "; ".join(f"{size(shape)} for {', '.join(names)}" for shape, names in inputs.items())
    return f"The inputs differ: {said}. MACs, activations and memory are those of each one's own."


def _label(net: Net, changes: Mapping[str, Any]) -> str:
    names = endings(changes) if changes else {}
    said = [net.name, *(f"{name}={plain(changes[path])}" for path, name in names.items())]
    label = " ".join(" ".join(said).split())
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


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
