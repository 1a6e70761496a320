"""What is drawn of units along a network's depth, and how a line follows the wiring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archgen.view import NAMES, DepthRow, figure


@dataclass(frozen=True)
class Measure:
    """A number that units have.

    Args:
        what: Its name, as `DepthRow` calls it.
        name: What people call it.
        unit: Of its axis; "" for a plain count.
        spent: Whether units spend it, so that it adds up; else it is their map's.
    """

    what: str
    name: str
    unit: str = ""
    spent: bool = False

    def title(self, more: str = "") -> str:
        """Title an axis, as in ``saved for backward so far (MiB)`` with more to say."""
        return f"{self.name}{more}" + (f" ({self.unit})" if self.unit else "")

    def of(self, row: DepthRow) -> int | None:
        """Give a unit's; None where that is of a map and it gives none."""
        value: int | None = getattr(row, self.what)
        return value if self.spent or row.side is not None else None

    def height(self, value: int) -> float:
        """Give the place of a value on the axis."""
        return value / 2**20 if self.unit == "MiB" else value

    def write(self, value: int) -> str:
        """Write a value."""
        return figure(self.what, value) if self.what in NAMES else f"{value:,} {self.unit}".strip()


MEASURES = {
    each.what: each
    for each in (
        Measure("macs", NAMES["macs"], spent=True),
        Measure("params", NAMES["params"], spent=True),
        Measure("saved_bytes", NAMES["saved_bytes"], "MiB", spent=True),
        Measure("channels", "channels"),
        Measure("side", "resolution", "pixels a side"),
        Measure("receptive_field", NAMES["receptive_field"], "pixels"),
    )
}


def joined(rows: Iterable[DepthRow], known: Mapping[str, DepthRow]) -> list[DepthRow | None]:
    """Put each unit behind the one that it reads; None breaks the line.

    Args:
        rows: The units of a line.
        known: The units that a line can come from, by path.
    """
    points: list[DepthRow | None] = []
    for row in rows:
        above = known.get(row.after)
        if above is None:
            points += [None] if points else []
        elif points[-1:] != [above]:
            points += [None, above]
        points.append(row)
    return points
