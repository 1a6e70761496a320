"""When a candidate is given up. One rule for one and for two scores: Optuna refuses the latter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from statistics import median

from archgen.study.definition import COSTS, Pruner, Study
from archgen.study.report import Row, gain


def gives_up(row: Row, rows: Iterable[Row], study: Study) -> bool:
    """Whether a candidate in training is not worth its further epochs.

    Where a cost is a score, it is compared only with those that are no worse in it: a candidate
    that costs less than all others may be behind them and still belong to the Pareto front.

    Args:
        row: In training; its curve ends at this epoch.
        rows: All candidates, itself or not.
        study: Its scores and its pruner.
    """
    pruner, epoch = study.pruner, len(row.curve)
    if pruner.kind == "none" or not pruner.warmup < epoch < study.train.epochs:
        return False
    sign = 1 if study.score[study.watched] == "maximize" else -1
    mine = _signed(row, sign)
    there = [
        _signed(other, sign) for other in rivals(row, rows, study) if len(other.curve) >= epoch
    ]
    if len(there) < pruner.startup:
        return False
    if pruner.kind == "median":
        return max(mine) < median(other[epoch - 1] for other in there)
    if not _is_rung(epoch, pruner):
        return False
    # Of the candidates that came here, itself included, the best 1/eta go on.
    ahead = sum(max(other[:epoch]) > max(mine) for other in there)
    return ahead >= ceil((len(there) + 1) / pruner.eta)


def rivals(row: Row, rows: Iterable[Row], study: Study) -> list[Row]:
    """The other candidates that one in training is compared with.

    The median is that of complete ones; a rung of halving counts all that ever came to it, those
    in training and given up included.

    Args:
        row: In training; its costs are known.
        rows: All candidates.
        study: Its scores and its pruner.
    """
    costs = [(name, way) for name, way in study.score.items() if name in COSTS]
    halving = study.pruner.kind == "halving"
    return [
        other
        for other in rows
        if (other.state == "complete" or (halving and (other.trained or other.state == "running")))
        and other.number != row.number
        and all(gain(other, name, way) >= gain(row, name, way) for name, way in costs)
    ]


def _signed(row: Row, sign: int) -> Sequence[float]:
    """A candidate's curve so that more is better."""
    return [sign * value for value in row.curve]


def _is_rung(epoch: int, pruner: Pruner) -> bool:
    """Whether an epoch is the first behind the warm-up, or that times a power of eta."""
    rung = pruner.warmup + 1
    while rung < epoch:
        rung *= pruner.eta
    return rung == epoch
