"""A study in Optuna's terms: its space, its sampler, and how a row is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from archgen.study.report import Row
from archgen.study.room import Room
from archgen.study.space import Choice, Study, Vary

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution


def space(study: Study) -> dict[str, BaseDistribution]:
    """What varies as Optuna's distributions; a choice goes by its label."""
    return {path: _distribution(vary) for path, vary in study.vary.items()}


def _distribution(vary: Vary) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(vary, Choice):
        return CategoricalDistribution(vary.labels)
    if vary.whole:
        low, high, step = int(vary.from_), int(vary.to), int(vary.step or 1)
        return IntDistribution(low, high, log=vary.log, step=step)
    return FloatDistribution(vary.from_, vary.to, log=vary.log, step=vary.step)


def values(study: Study, params: Mapping[str, Any]) -> dict[str, Any]:
    """What Optuna proposes, as values of the spec."""
    return {
        path: json.loads(params[path]) if isinstance(vary, Choice) else params[path]
        for path, vary in study.vary.items()
    }


def seed_of(study: Study, asked: int) -> int:
    """The sampler's seed: another one after a resume, or it would propose the same again."""
    text = f"{study.sampler.seed}:{asked}"
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


def sampler(kind: str, seed: int, room: Room) -> optuna.samplers.BaseSampler:
    """Optuna's sampler of a kind that a study may name."""
    from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler

    if kind == "random":
        return RandomSampler(seed=seed)
    if kind == "nsga2":
        return NSGAIISampler(seed=seed)
    # Infeasible candidates use up its start-up, so it is given more where they are many.
    return TPESampler(seed=seed, n_startup_trials=round(10 / max(room.share, 0.1)))


def tell(study: optuna.Study, trial: optuna.Trial | int, row: Row) -> None:
    """End a trial. FAIL is for what says nothing about a network: samplers do not see it."""
    from optuna.trial import TrialState

    if row.scores:
        study.tell(trial, list(row.scores.values()))
    elif row.state in ("interrupted", "failed", "running"):
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, state=TrialState.PRUNED)
