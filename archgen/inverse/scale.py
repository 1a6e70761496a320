"""The numbers of a spec that are solved for, laid along one line of positions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from archgen.errors import ArchError, first
from archgen.spec import Net

Number: TypeAlias = int | float

RING = 256
"""Whole numbers that are tried on each side of one that does not build."""
GAP = 16
"""So many whole numbers in a row that do not build are the end."""
PARTS = 16
"""Into so many parts the way between two real values is cut, to find one that builds."""
CLOSE = 1e-6
"""Real values that lie no further apart, as a part of them, are not told apart."""


class Scale:
    """One number of a spec, or the common factor of several.

    A position is the number itself, or the factor. A number that is whole in the spec stays so.

    Args:
        net: The spec.
        by: Dotted paths of numbers.
        low: The lowest value, of one number.
        high: The highest.

    Raises:
        ArchError: There is no such path, or no number; bounds that are none.
    """

    def __init__(
        self, net: Net, by: Sequence[str], low: Number | None = None, high: Number | None = None
    ) -> None:
        if not by or len(set(by)) < len(by):
            raise ArchError(", ".join(by), "name one number, or several that are different")
        if len(by) > 1 and (low, high) != (None, None):
            raise ArchError(", ".join(by), "a lowest or highest value goes with one number only")
        if not all(math.isfinite(bound) for bound in (low or 0, high or 0)):
            raise ArchError(by[0], "the lowest and the highest value are finite numbers")
        self.own = {path: _number(net, path) for path in by}
        own = self.own[by[0]] if len(by) == 1 else 1.0
        self.whole = isinstance(own, int)
        self.low = -math.inf if low is None else math.ceil(low) if self.whole else low
        self.high = math.inf if high is None else math.floor(high) if self.whole else high
        if self.low >= self.high:
            message = f"the lowest value {self.low} must be below the highest {self.high}"
            raise ArchError(by[0], message)
        self.start = self.bounded(own)

    def bounded(self, x: Number) -> Number:
        """Give a position, or the bound that it is beyond."""
        return min(max(x, self.low), self.high)

    def values(self, x: Number) -> dict[str, Number]:
        """Give the numbers at a position by path."""
        if len(self.own) == 1:
            return dict.fromkeys(self.own, x)
        if x == 1:
            return {**self.own}
        return {
            path: round(x * own) if isinstance(own, int) else spelled(x * own, 12)
            for path, own in self.own.items()
        }

    @property
    def unit(self) -> Number:
        """The first step away from the start."""
        part = abs(self.start) / 8
        return max(1, int(part)) if self.whole else part or 0.125

    def scaled(self, x: Number, way: int) -> Number:
        """Give twice or half a position, whichever lies that way: groups that divide it still do.

        Where half is no whole number, and of a real number, the position itself.
        """
        if not self.whole and len(self.own) == 1:
            return x
        if (x > 0) == (way > 0):
            return self.bounded(2 * x)
        half = x // 2 if self.whole else x / 2
        return self.bounded(half if 2 * half == x else x)

    def between(self, one: Number, other: Number) -> Iterator[Number]:
        """Positions between two others, those near the middle first; none if they are close."""
        low, high = min(one, other), max(one, other)
        if self.whole:
            middle = int(low + high) // 2
            near = (x for i in range(RING) for x in dict.fromkeys((middle - i, middle + i)))
            yield from (x for x in near if low < x < high)
        elif high - low > CLOSE * max(abs(low), abs(high), self.unit):  # near 0 nothing is close
            parts = sorted(range(1, PARTS), key=lambda part: abs(part - PARTS // 2))
            yield from (low + (high - low) * part / PARTS for part in parts)

    def beyond(self, x: Number, way: int) -> Iterator[Number]:
        """Whole numbers behind the last that builds: of kernels, every second one does."""
        if self.whole:
            steps = (self.bounded(x + way * i) for i in range(1, GAP))
            yield from (y for y in steps if y != x)

    def shorter(self, x: Number) -> Iterator[Number]:
        """The same position with fewer digits, the shortest first."""
        if not self.whole:
            fewer = (spelled(x, digits) for digits in range(1, 12))
            yield from (y for y in fewer if self.bounded(y) == y)

    def around(self) -> Iterator[Number]:
        """Positions near the start, the nearest first."""
        for i in range(RING):
            if self.whole:
                yield from (self.bounded(self.start + i), self.bounded(self.start - i))
            elif i < PARTS:
                yield from (self.bounded(self.start * 2.0**i), self.bounded(self.start / 2.0**i))


def spelled(value: float, digits: int) -> float:
    """Give the number that has only so many digits."""
    return float(f"{value:.{digits}g}")


def _number(net: Net, path: str) -> Number:
    try:
        value = net.get(path)
    except ArchError as error:
        if not _may_be_set(net, path):
            raise
        message = "is left out of the spec; set it to a number to start from"
        raise ArchError(error.path, message) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, dict | list):
        raise ArchError(path, f"is {value!r}, no number")
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    inside = first((f"{path}.{key}" for key, each in parts if isinstance(each, int | float)), 4)
    raise ArchError(path, f"is no number{f'; name one in it: {inside}' if inside else ''}")


def _may_be_set(net: Net, path: str) -> bool:
    try:
        net.set({path: 1}).graph()
    except ArchError:
        return False
    return True
