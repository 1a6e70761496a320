"""Which parameters decide a score: PED-ANOVA (arXiv:2304.10255), by Optuna."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence

from archgen.study.report import Row
from archgen.study.sampling import space
from archgen.study.space import Choice, Study

LEAST = 10
"""Complete candidates below which nothing is said."""
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
        For each score the parameters, the most important first; empty if there are too few
        candidates.
    """
    done = [row for row in rows if row.state == "complete"]
    if len(done) < LEAST:
        return {}
    return {name: _of_score(study, done, name) for name in study.score}


def _of_score(study: Study, rows: Sequence[Row], name: str) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    record = optuna.create_study(direction=study.score[name])
    distributions = space(study)
    for row in rows:
        params = {
            path: json.dumps(row.vary[path], sort_keys=True)
            if isinstance(vary, Choice)
            else row.vary[path]
            for path, vary in study.vary.items()
        }
        record.add_trial(
            create_trial(params=params, distributions=distributions, value=row.scores[name])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        judge = PedAnovaImportanceEvaluator(target_quantile=max(0.1, AMONG / len(rows)))
        return dict(get_param_importances(record, evaluator=judge))
