"""Optuna's samplers that learn: TPE, NSGA-II and a Gaussian process, each told in its own way.

Optuna and, by the Gaussian process, PyTorch are imported inside functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any

from archgen.study.definition import Study, violations
from archgen.study.report import Row, gain
from archgen.study.space import Choice, Range, everything, label, walk

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, TrialState

# A model learns from so many trained candidates before it proposes.
STARTUP = 10
# Parents of NSGA-II.
POPULATION = 20
# Rows that each model is shown, at most: it bounds the time of an ask. It starts over with those
# worth showing when its study has so many times as many trials; each row takes about two.
SHOWN, REFRESH = {"tpe": 500, "nsga2": 500, "gp": 100}, 3


def seed_of(seed: int, asked: int) -> int:
    """A sampler's seed: another one after a resume, or it would propose the same again."""
    digest = blake2b(f"{seed}:{asked}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def params_of(
    study: Study, vary: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """A candidate's values in Optuna's terms: parameters and their distributions by name."""
    params, distributions = {}, {}
    for name, _, each, value in walk(study.vary, lambda _, path, __: vary[path]):
        params[name] = label(value) if isinstance(each, Choice) else value
        distributions[name] = _distribution(each)
    return params, distributions


def _distribution(vary: Range | Choice) -> BaseDistribution:
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


class Model:
    """A sampler of Optuna's over a study in memory.

    TPE is told of what was not trained to the end as pruned, and knows the limits by their
    constraints; it sees only the parameters that a candidate has. The others use complete
    trials only, and would give up on parameters that come and go: they are told of all
    parameters, those that a candidate has not at a value of chance.

    Args:
        study: From `load_study`; its sampler is a model.
        rows: Of earlier calls; those still running are open.
        chance: Fills in what a candidate has not.
        seed: Decides what is proposed.
    """

    def __init__(self, study: Study, rows: Sequence[Row], chance: Random, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = study
        self._kind = study.sampler.kind
        self._seed = seed
        self._chance = chance
        self._space = everything(study.vary)
        self._distributions = {name: _distribution(each) for name, each in self._space.items()}
        self._conditional = len(self._space) > len(study.vary)
        self._most = SHOWN[self._kind]
        self._told = [row for row in rows if row.state != "running"]
        self._open: dict[int, dict[str, Any]] = {}
        self._begin([row.vary for row in rows if row.state == "running"])

    def _begin(self, running: Iterable[dict[str, Any]]) -> None:
        """Start a new Optuna study with what is worth showing."""
        import optuna

        seed = seed_of(self._seed, len(self._told))
        self._optuna = optuna.create_study(
            directions=list(self._study.score.values()),
            sampler=_sampler(self._study, seed, conditional=self._conditional),
        )
        self._count = 0
        for row in self._shown():
            self._show(row, self._all(row.vary))
        self._open = {}
        for vary in running:
            self.open(vary)

    def _shown(self) -> list[Row]:
        """The best and the latest rows, in their order.

        A model needs the best to know where good ones are, and the latest, bad and infeasible
        ones included, to know what lies around them.
        """
        if len(self._told) <= self._most:
            return self._told
        best = {row.number for row in _elite(self._told, self._study, self._most // 4)}
        others = [row for row in self._told if row.number not in best]
        latest = {row.number for row in others[len(best) - self._most :]}
        return [row for row in self._told if row.number in best or row.number in latest]

    def ask(self) -> dict[str, Any]:
        """Propose a candidate's values by path, and take it as open."""
        if self._count > REFRESH * self._most:
            self._begin([*self._open.values()])
        trial = self._optuna.ask()
        self._count += 1
        if self._kind == "tpe":
            found = walk(self._study.vary, lambda name, _, __: self._suggest(trial, name))
        else:
            given = {name: self._suggest(trial, name) for name in self._space}
            found = walk(self._study.vary, lambda name, _, __: given[name])
        vary = {parameter.path: parameter.value for parameter in found}
        self._open[trial.number] = vary
        return vary

    def _suggest(self, trial: optuna.Trial, name: str) -> Any:
        vary = self._space[name]
        if isinstance(vary, Choice):
            return vary.values[vary.labels.index(trial.suggest_categorical(name, vary.labels))]
        if vary.whole:
            return trial.suggest_int(
                name, int(vary.from_), int(vary.to), log=vary.log, step=int(vary.step or 1)
            )
        return vary.snap(
            trial.suggest_float(name, vary.from_, vary.to, log=vary.log, step=vary.step)
        )

    def open(self, vary: dict[str, Any]) -> None:
        """Take a candidate of someone else as open."""
        from optuna.trial import TrialState

        self._open[self._count] = vary
        self._add(self._all(vary), TrialState.RUNNING)

    def tell(self, row: Row) -> None:
        """Close an open candidate and learn from it."""
        from optuna.trial import TrialState

        self._told.append(row)
        params = self._all(row.vary)
        number = next((n for n, vary in self._open.items() if vary == row.vary), None)
        if number is not None:
            del self._open[number]
            self._optuna.tell(number, state=TrialState.FAIL)
            params = self._optuna.get_trials(deepcopy=False)[number].params
        self._show(row, params)

    def _show(self, row: Row, params: dict[str, Any]) -> None:
        """Tell the sampler of a row that is at an end, in its own way; or nothing."""
        from optuna.trial import TrialState

        if row.state == "failed":
            return
        over = violations(self._study, row.costs)
        if self._kind == "tpe" and row.state != "complete":
            # A duplicate is no news: told with its score, TPE would propose it ever more often.
            steps = {}
            if row.state == "pruned" and len(self._study.score) == 1:
                steps = {row.epochs: row.curve[-1]}
            self._add(params, TrialState.PRUNED, intermediate_values=steps, constraints=over)
        elif values := self._values(row):
            if self._kind == "gp" and len(over) > 1:
                # A process is fitted to each constraint; that it builds needs none of its own.
                broken = over.pop("builds")
                over = {name: value + broken for name, value in over.items()}
            self._add(params, TrialState.COMPLETE, values=values, constraints=over)

    def _values(self, row: Row) -> list[float] | None:
        """What a sampler that knows complete trials only is told; None for nothing.

        The Gaussian process would propose an infeasible or known candidate again and again if
        it heard nothing; of one that another worker still trains nothing is known. Evolution
        would fill its population with both.
        """
        if row.state == "duplicate" and not row.scores:
            return None
        if row.state in ("infeasible", "duplicate") and self._kind == "nsga2":
            return None
        known: dict[str, float | None] = {**row.costs, **row.scores}
        if row.state == "pruned":
            known |= {"top1": row.top1, "loss": row.loss}
        values = []
        for name, way in self._study.score.items():
            value = known.get(name)
            if value is None:
                gains = [gain(other, name, way) for other in self._told if other.scores]
                if not gains:
                    return None
                value = min(gains) if way == "maximize" else -min(gains)
            values.append(value)
        return values

    def _all(self, vary: Mapping[str, Any]) -> dict[str, Any]:
        """A candidate's parameters by name, with those that the sampler has to see besides."""
        params, _ = params_of(self._study, vary)
        if self._kind == "tpe":
            return params
        for name, each in self._space.items():
            if name not in params:
                value = each.at(self._chance.random())
                params[name] = label(value) if isinstance(each, Choice) else value
        return params

    def _add(self, params: dict[str, Any], state: TrialState, **told: Any) -> None:
        """Add a trial to the study in memory."""
        from optuna.trial import create_trial

        distributions = {name: self._distributions[name] for name in params}
        trial = create_trial(state=state, params=params, distributions=distributions, **told)
        self._optuna.add_trial(trial)
        self._count += 1


def _sampler(study: Study, seed: int, *, conditional: bool) -> BaseSampler:
    import optuna
    from optuna.samplers import GPSampler, TPESampler

    if study.sampler.kind == "nsga2":
        return _steady(seed)
    if study.sampler.kind == "gp":
        return GPSampler(seed=seed, n_startup_trials=1, warn_independent_sampling=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(
            seed=seed,
            n_startup_trials=STARTUP,
            multivariate=conditional or len(study.score) == 1,
            group=conditional,
        )


def _steady(seed: int) -> BaseSampler:
    """NSGA-II in its steady state: the parents are the best of all, chosen anew at each ask.

    Without generations, open candidates, a resume and few trials are no special cases.
    """
    from optuna import Study as Told
    from optuna.samplers import NSGAIISampler
    from optuna.trial import TrialState

    class Steady(NSGAIISampler):
        def get_trial_generation(self, study: Told, trial: FrozenTrial) -> int:
            return 1

        def get_parent_population(self, study: Told, generation: int) -> list[FrozenTrial]:
            return self.select_parent(study, generation) if generation else []

        def get_population(self, study: Told, generation: int) -> list[FrozenTrial]:
            return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    return Steady(seed=seed, population_size=POPULATION)


def _elite(rows: Iterable[Row], study: Study, most: int) -> list[Row]:
    """The best complete rows: by score, or front by front.

    Only the first fronts are peeled off: enough where they are long, quick where they are short.
    """
    ways = [*study.score.items()]
    gains = {
        row.number: [gain(row, name, way) for name, way in ways]
        for row in rows
        if row.state == "complete"
    }
    left = sorted((row for row in rows if row.number in gains), key=lambda row: gains[row.number])
    left.reverse()
    if len(ways) == 1:
        return left[:most]
    found: list[Row] = []
    for _ in range(10):
        if len(found) >= most:
            break
        top, kept = float("-inf"), []
        for row in left:
            second = gains[row.number][1]
            if second > top:
                top = second
                found.append(row)
            else:
                kept.append(row)
        left = kept
    return found[:most]
