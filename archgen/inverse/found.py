"""What is found: values of a spec's numbers, and what the network costs with them."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.inverse.scale import Number
from archgen.spec import Net


@dataclass(frozen=True)
class Point:
    """What the network costs with some values.

    Args:
        values: Dotted path to number.
        cost: In units of one.
    """

    values: dict[str, Number]
    cost: int

    def __str__(self) -> str:
        return " ".join(f"{path}={value:.12g}" for path, value in self.values.items())


@dataclass(frozen=True)
class Fit:
    """The values whose cost is nearest to the target, and what lies around them.

    Args:
        net: The network with the best values.
        cost: The cost that was asked for, one of `COSTS`.
        target: What it should be.
        start: The values that the spec has; None where they are out of bounds or do not build.
        best: The values whose cost is nearest.
        below: Those that come nearest from below; None where all cost more than the target.
        above: Those that come nearest from above; None where all cost less.
        least: Those that cost least of all that were tried.
        most: Those that cost most.
        monotone: Whether the cost just rises, or just falls, from the lowest value to the
            highest, as far as they were tried.
        tried: How many values were tried and build.
    """

    net: Net
    cost: str
    target: float
    start: Point | None
    best: Point
    below: Point | None
    above: Point | None
    least: Point
    most: Point
    monotone: bool
    tried: int

    def off(self, point: Point) -> float:
        """Give how far a point is from the target, as a part of it; negative below."""
        return point.cost / self.target - 1
