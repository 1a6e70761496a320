"""The figures of a network that was turned, each beside what it was."""

from __future__ import annotations

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
        value: What it is now; with all digits where they are of use.
        change: The difference, with its part of what it was; "" without one.
        before: What it was; "" without a difference.
    """

    label: str
    value: str
    change: str = ""
    before: str = ""


def tiles(figures: tuple[FigurePair, ...]) -> list[Tile]:
    """Write figures for reading at a glance; the first of each pair is what it is now."""
    return [_tile(pair) for pair in figures]


def _tile(pair: FigurePair) -> Tile:
    label, now, before = LABELS[pair.what], pair.first, pair.second
    value = f"{now:,}" if pair.what == "params" and now else written(pair.what, now)
    if now == before:
        return Tile(label, value)
    if now is None or before is None:
        return Tile(label, value, "", written(pair.what, before))
    size, was = written(pair.what, abs(now - before)), written(pair.what, before)
    part = f" ({pair.ratio - 1:+.1%})" if pair.ratio is not None else ""
    sign = "+" if now > before else "-"
    return Tile(label, value, f"{sign}{size}{part}", was)


def written(what: str, count: int | None) -> str:
    """Write a cost with its unit, shortly where it is long."""
    if count is None:
        return "none"
    if what.endswith("_bytes"):
        return mebibytes(count)
    return short(count) if count >= 10_000 else f"{count:,}"
