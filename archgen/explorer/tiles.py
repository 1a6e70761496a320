"""The figures of a network, each beside what it was if the network was turned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archgen.view import FigurePair, exact, figure, titled

MEANINGS = {
    "params": "Learned scalars",
    "macs": "Multiply-accumulates of an image",
    "activations": "Scalars that its layers give for an image",
    "depth": "Convolutions and linear layers on the longest path",
    "receptive_field": "Side of what a pixel of the last map sees; none where that has no one size",
    "saved_bytes": "Kept for the backward pass, an image in float32",
    "peak_bytes": "Most activations that inference holds at once",
}

ROOM = 10**9
"""So many parameters, or more, have no room for all digits."""


@dataclass(frozen=True)
class Tile:
    """One figure.

    Args:
        label: What it is.
        value: What it is now; parameters with all digits, if they have the room.
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
    label, said, now = titled(pair.what), MEANINGS[pair.what], pair.first
    all_digits = pair.what == "params" and (now or 0) < ROOM
    value = exact(pair.what, now) if all_digits else figure(pair.what, now)
    if now == pair.second:
        return Tile(label, value, help=said)
    change = "" if pair.ratio is None else f"{pair.ratio - 1:+.1%}"
    return Tile(label, value, change, figure(pair.what, pair.second), said)
