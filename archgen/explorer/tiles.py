"""The figures of a network that was turned, each beside what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archgen.view import FigurePair, mebibytes, short

LABELS = {
    "params": "Parameters",
    "macs": "MACs",
    "activations": "Activations",
    "depth": "Layers",
    "receptive_field": "Receptive field",
    "saved_bytes": "Saved",
    "peak_bytes": "Peak",
    "buffers": "Running statistics",
}
"""What people call costs."""
MEANINGS = {
    "params": "Learned scalars",
    "macs": "Multiply-accumulates of an image",
    "activations": "Scalars that its layers give for an image",
    "depth": "Convolutions and linear layers on the longest path",
    "receptive_field": "Side of what a pixel of the last map sees",
    "saved_bytes": "Kept for the backward pass, an image in float32",
    "peak_bytes": "Most activations that inference holds at once",
}


@dataclass(frozen=True)
class Tile:
    """One figure.

    Args:
        label: What it is.
        value: What it is now; parameters with all digits.
        change: By which part it changed: ``+4.2%``; "" if it did not, or was nothing.
        before: What it was; "" if it did not change.
        help: What is counted.
    """

    label: str
    value: str
    change: str = ""
    before: str = ""
    help: str = ""


def tiles(figures: Iterable[FigurePair]) -> list[Tile]:
    """Write figures for reading at a glance; the first of each pair is what it is now."""
    return [_tile(pair) for pair in figures]


def _tile(pair: FigurePair) -> Tile:
    label, said, now = LABELS[pair.what], MEANINGS[pair.what], pair.first
    value = f"{now:,}" if pair.what == "params" and now else _written(pair.what, now)
    if now == pair.second:
        return Tile(label, value, help=said)
    change = "" if pair.ratio is None else f"{pair.ratio - 1:+.1%}"
    return Tile(label, value, change, _written(pair.what, pair.second), said)


def _written(what: str, count: int | None) -> str:
    if what == "receptive_field":
        return "all" if count is None else f"{count:,} px"
    if count is None:
        return "none"
    if what.endswith("_bytes"):
        return mebibytes(count)
    return short(count) if count >= 10_000 else f"{count:,}"
