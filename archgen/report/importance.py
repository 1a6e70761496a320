"""Which parameters decide a score: PED-ANOVA (arXiv:2304.10255), by Optuna."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archgen.study.definition import Direction, Study
from archgen.study.report import Row
from archgen.study.sampler import params_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

LEAST, MOST = 10, 2000
"""Complete candidates below which nothing is said; of more than the most, every n-th is asked."""
AMONG = 5
"""Candidates that stand for the best of a score, or a tenth of all where that is more."""


def importances(study: Study, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """For each score, each parameter's part in reaching the best of it; parts add up to 1.

    Only complete candidates are looked at, and the best of them are compared with all of them,
    not with the whole space: what a limit forbids would otherwise look like a parameter's merit.

    Args:
        study: Its scores and parameters.
        rows: All candidates.

    Returns:
        For each score the parameters by name, the most important first; empty if there are too
        few candidates, or all are of one kind.
    """
    from optuna.trial import create_trial

    done = [row for row in rows if row.state == "complete"]
    if len(done) < LEAST:
        return {}
    done = done[:: -(-len(done) // MOST)]
    known = [params_of(study, row.vary) for row in done]
    seen = {(name, value) for params, _ in known for name, value in params.items()}
    # Of what has one value in all of them nothing can be said, and an estimate would say something.
    varied = {name for name, count in Counter(name for name, _ in seen).items() if count > 1}
    if not varied:
        return {}
    found = {}
    for score, way in study.score.items():
        trials = [
            create_trial(
                params={name: value for name, value in params.items() if name in varied},
                distributions={name: dists[name] for name in params if name in varied},
                value=row.scores[score],
            )
            for row, (params, dists) in zip(done, known, strict=True)
        ]
        found[score] = _of_score(trials, way)
    return found


def _of_score(trials: Sequence[FrozenTrial], way: Direction) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    record = optuna.create_study(direction=way)
    record.add_trials(trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        judge = PedAnovaImportanceEvaluator(target_quantile=max(0.1, AMONG / len(trials)))
        return dict(get_param_importances(record, evaluator=judge))
