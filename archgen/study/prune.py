"""When a candidate is given up. One rule for one and for two scores: Optuna refuses the latter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from archgen.study.report import Row, gain
from archgen.study.space import COSTS, Direction, Pruner


def rivals(row: Row, rows: Iterable[Row], score: Mapping[str, Direction]) -> list[Row]:
    """The complete candidates that a candidate in training is compared with.

    Where a cost is a score, only those that are no worse in it: a candidate that costs less than
    all others may be behind them and still belong to the Pareto front, so it has no rivals.

    Args:
        row: In training; its costs are known.
        rows: All candidates.
        score: The study's scores, and which way is better.
    """
    costs = [(name, way) for name, way in score.items() if name in COSTS]
    return [
        other
        for other in rows
        if other.state == "complete"
        and all(gain(other, name, way) >= gain(row, name, way) for name, way in costs)
    ]


def behind(
    curve: Sequence[float],
    others: Sequence[Sequence[float]],
    *,
    pruner: Pruner,
    direction: Direction,
) -> bool:
    """Whether a candidate's best value so far is worse than the others' median at this epoch.

    Args:
        curve: Its value after each epoch.
        others: The same of the complete candidates.
        pruner: The rule's patience.
        direction: Which way is better.
    """
    epoch = len(curve)
    there = [other[epoch - 1] for other in others if len(other) >= epoch]
    if pruner.kind == "none" or epoch <= pruner.warmup or len(there) < pruner.startup:
        return False
    if direction == "maximize":
        return max(curve) < median(there)
    return min(curve) > median(there)
