"""How long a kernel takes: a sum of terms, with factors that are fitted to measurements."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul
from statistics import median

SWEEPS = 2000
"""Of the descent; with six terms they take milliseconds."""


def seconds(factors: Sequence[float], terms: Sequence[float]) -> float:
    """Give the sum of terms, each times its factor; there are as many of both."""
    return float(sum(f * term for f, term in zip(factors, terms, strict=True)))


def fitted(rows: Sequence[Sequence[float]], taken: Sequence[float]) -> list[float]:
    """Fit factors that are not negative: nothing gets faster by more work.

    The sum of squared relative errors is made least by coordinate descent (Franc, Hlavac and
    Navara 2005), on terms scaled to unit length. Errors that are relative draw to small values;
    so all factors are then scaled to be right in the median.

    Args:
        rows: The terms of each measurement.
        taken: Its seconds.
    """
    relative = [[term / s for term in row] for row, s in zip(rows, taken, strict=True)]
    columns = [*zip(*relative, strict=True)]
    lengths = [sum(map(mul, column, column)) ** 0.5 or 1.0 for column in columns]
    columns = [tuple(x / n for x in column) for column, n in zip(columns, lengths, strict=True)]
    gram = [[sum(map(mul, a, b)) for b in columns] for a in columns]
    goal = [sum(column) for column in columns]
    found = [0.0] * len(columns)
    for _ in range(SWEEPS):
        for place, row in enumerate(gram):
            if row[place]:
                slack = goal[place] - seconds(row, found)
                found[place] = max(0.0, found[place] + slack / row[place])
    factors = [f / n for f, n in zip(found, lengths, strict=True)]
    said = [seconds(factors, row) for row in rows]
    off = median(s / found for found, s in zip(said, taken, strict=True) if found)
    return [off * factor for factor in factors]
