"""The figures of a network that was turned, each beside what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archgen.view import FigurePair, mebibytes, short

LABELS = {
    "params": "Parameters",
    "macs": "MACs, one image",
    "activations": "Activations, one image",
    "depth": "Depth, layers",
    "receptive_field": "Receptive field, pixels",
    "saved_bytes": "Saved for backward",
    "peak_bytes": "Alive in inference",
    "buffers": "Running statistics",
}
"""What people call costs."""


@dataclass(frozen=True)
class Tile:
    """One figure.

    Args:
        label: What it is.
        value: What it is now; parameters with all digits.
        change: By which part it changed: ``+4.2%``; "" if it did not, or was nothing.
        before: What it was; "" if it did not change.
    """

    label: str
    value: str
    change: str = ""
    before: str = ""


def tiles(figures: Iterable[FigurePair]) -> list[Tile]:
    """Write figures for reading at a glance; the first of each pair is what it is now."""
    return [_tile(pair) for pair in figures]


def _tile(pair: FigurePair) -> Tile:
    label, now = LABELS[pair.what], pair.first
    value = f"{now:,}" if pair.what == "params" and now else _written(pair.what, now)
    if now == pair.second:
        return Tile(label, value)
    change = "" if pair.ratio is None else f"{pair.ratio - 1:+.1%}"
    return Tile(label, value, change, _written(pair.what, pair.second))


def _written(what: str, count: int | None) -> str:
    if count is None:
        return "none"
    if what.endswith("_bytes"):
        return mebibytes(count)
    return short(count) if count >= 10_000 else f"{count:,}"
