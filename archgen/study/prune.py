"""When a candidate is given up. One rule for one and for two scores: Optuna refuses the latter."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from archgen.study.space import Direction, Pruner


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
