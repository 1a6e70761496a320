"""The networks of a comparison, each counted and called by a label of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archgen.analysis import Cost, cost
from archgen.explorer.shown import Shown
from archgen.ops import Shape, size
from archgen.spec import Net
from archgen.view import DepthRow, StageRow, depth_rows, endings, plain, stage_rows
from archgen.view.colours import STYLES

MOST = len(STYLES)
"""Networks side by side: as many as are told apart, and columns on a screen."""
LONGEST = 48
"""Characters of a label."""


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
