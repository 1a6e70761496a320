"""Who proposes candidates: chance, a Sobol sequence, a grid, or a model of Optuna's.

The models (TPE, NSGA-II, a Gaussian process) stand over a small Optuna study in memory that is told
in the way that each of them needs; what a search leaves is recorded elsewhere. Optuna, SciPy
and, by the Gaussian process, PyTorch are imported inside functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any

from archgen.study.judge import Judged, is_taken, judge
from archgen.study.report import Row, gain
from archgen.study.space import (
    Choice,
    Range,
    Study,
    combination,
    everything,
    label,
    values_at,
    violations,
    walk,
)

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, TrialState

# A model learns from so many candidates of chance before it proposes.
STARTUP = 10
# After so many proposals that train nothing, the next is a new feasible candidate of chance.
STUCK = 2
# Candidates that are judged, at most, to find it: milliseconds each.
LOOKS = 50
# A space of up to so many combinations is exhausted when all were judged; a larger one when so
# many random candidates in a row were infeasible or known: of one in 500, 98 % were found.
FINITE, MISSES = 10_000, 2_000
# Parents of NSGA-II.
POPULATION = 20
# What each model is shown at most, by kind and number of scores: it bounds the time of an ask.
SHOWN = {"tpe": (1000, 400), "nsga2": (1000, 1000), "gp": (150, 100)}


@dataclass(frozen=True)
class Proposal:
    """A candidate to look at, judged already.

    Args:
        judged: What it is; its `vary` are the values by path.
        params: The same in Optuna's terms, for the record: by name, a choice by its label.
        distributions: What each of them is drawn from.
    """

    judged: Judged
    params: dict[str, Any]
    distributions: dict[str, BaseDistribution]


class Proposer:
    """Proposes candidates of a study, one by one; several may be open at a time.

    The first ones of a model are feasible and new, and so is the next one whenever its last
    `STUCK` proposals trained nothing. All other proposals are the sampler's own.

    Args:
        study: From `load_study`.
        rows: Of earlier calls; those still running are open.
        seed: With the number of rows, decides what is proposed.
    """

    def __init__(self, study: Study, rows: Sequence[Row], *, seed: int) -> None:
        self._study = study
        self._taken = {row.digest for row in rows if is_taken(row)}
        self._idle = 0
        mixed = seed_of(seed, len(rows))
        self._chance = Random(mixed)  # noqa: S311 - no secret
        kind = study.sampler.kind
        self._grid = _all(study, seed, rows) if kind == "grid" else None
        self._model = _Model(study, rows, mixed) if kind in SHOWN else None
        self._fresh = _Fresh(study, rows, self._chance)
        self._sobol = _sobol(study, seed, len(rows)) if kind == "qmc" else None

    def ask(self) -> Proposal | None:
        """Propose a candidate; None where the space is exhausted.

        `tell` shall hear of each, also of one that is infeasible or known already.
        """
        judged = self._next()
        if judged is None:
            return None
        if judged.feasible and judged.digest not in self._taken:
            self._taken.add(judged.digest)
            self._idle = 0
        else:
            self._idle += 1
        return Proposal(judged, *params_of(self._study, judged.vary))

    def _next(self) -> Judged | None:
        if self._grid is not None:
            return next((judge(self._study, vary) for vary in self._grid), None)
        starts = self._model is not None and len(self._taken) < STARTUP
        if starts or self._idle >= STUCK:
            found = self._fresh.find(self._taken)
            if found is not None and self._model is not None:
                self._model.open(found.vary)
            return found
        return self._fresh.judge(self._own())

    def _own(self) -> dict[str, Any]:
        """What the sampler itself proposes."""
        if self._model is not None:
            return self._model.ask()
        if self._sobol is not None:
            parts = next(self._sobol)
            return values_at(self._study.vary, parts.__getitem__)
        return values_at(self._study.vary, lambda _: self._chance.random())

    def tell(self, row: Row) -> None:
        """Hear what became of a proposal, or of a row that was open at the start.

        Args:
            row: In any state but running; `vary` says which proposal it is.
        """
        if self._model is not None:
            self._model.tell(row)


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


def _sobol(study: Study, seed: int, done: int) -> Iterator[dict[str, float]]:
    """A scrambled Sobol sequence over all parameters, gone on with behind what was asked."""
    from scipy.stats.qmc import Sobol

    names = [*everything(study.vary)]
    sequence = Sobol(len(names), rng=seed)
    sequence.fast_forward(done)
    while True:
        yield dict(zip(names, sequence.random(1)[0].tolist(), strict=True))


def _all(study: Study, seed: int, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """All combinations of a finite space but those of rows, in an order of chance."""
    done = {label(row.vary) for row in rows}
    size = study.size or 0
    for index in Random(seed).sample(range(size), size):  # noqa: S311 - no secret
        vary = combination(study.vary, index)
        if label(vary) not in done:
            yield vary


class _Fresh:
    """Finds new feasible candidates by chance, and knows when there are none."""

    def __init__(self, study: Study, rows: Iterable[Row], chance: Random) -> None:
        self._study = study
        self._chance = chance
        self._misses = 0
        self._order: Iterator[int] | None = None
        if study.size is not None and study.size <= FINITE:
            self._order = iter(chance.sample(range(study.size), study.size))
            self._judged = {label(row.vary) for row in rows}

    def judge(self, vary: dict[str, Any]) -> Judged:
        """Judge a proposal of someone else; it needs no other look."""
        if self._order is not None:
            self._judged.add(label(vary))
        return judge(self._study, vary)

    def find(self, taken: set[str]) -> Judged | None:
        """A feasible candidate that is not taken; None if there is none.

        Where `LOOKS` candidates are not enough, the last of them, for the record.
        """
        judged = None
        for vary in self._some():
            judged = judge(self._study, vary)
            if judged.feasible and judged.digest not in taken:
                self._misses = 0
                break
            self._misses += 1
        return judged

    def _some(self) -> Iterator[dict[str, Any]]:
        looks = 0
        if self._order is None:
            while looks < LOOKS and self._misses < MISSES:
                looks += 1
                yield values_at(self._study.vary, lambda _: self._chance.random())
            return
        for index in self._order:
            vary = combination(self._study.vary, index)
            if label(vary) in self._judged:
                continue
            self._judged.add(label(vary))
            yield vary
            looks += 1
            if looks == LOOKS:
                return


class _Model:
    """A sampler of Optuna's over a study in memory.

    TPE is told of what was not trained to the end as pruned, and knows the limits by their
    constraints; it sees only the parameters that a candidate has. The others use complete
    trials only, and would give up on parameters that come and go: they are told of all
    parameters, those that a candidate has not at a value of chance.
    """

    def __init__(self, study: Study, rows: Iterable[Row], seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = study
        self._kind = study.sampler.kind
        self._seed = seed
        self._chance = Random(seed)  # noqa: S311 - no secret
        self._space = everything(study.vary)
        self._distributions = {name: _distribution(each) for name, each in self._space.items()}
        self._conditional = len(self._space) > len(study.vary)
        self._most = SHOWN[self._kind][len(study.score) - 1]
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
            self._show(row)
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
        if self._count > 2 * self._most + 50:
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
        self._add(vary, TrialState.RUNNING)

    def tell(self, row: Row) -> None:
        """Close an open candidate and learn from it."""
        from optuna.trial import TrialState

        number = next((n for n, vary in self._open.items() if vary == row.vary), None)
        if number is not None:
            del self._open[number]
            self._optuna.tell(number, state=TrialState.FAIL)
        self._told.append(row)
        self._show(row)

    def _show(self, row: Row) -> None:
        """Tell the sampler of a row that is at an end, in its own way; or nothing."""
        from optuna.trial import TrialState

        if row.state == "failed":
            return
        over = violations(self._study, row.costs)
        if self._kind == "tpe":
            self._show_tpe(row, over)
        elif values := self._values(row):
            self._add(row.vary, TrialState.COMPLETE, values=values, constraints=over)

    def _show_tpe(self, row: Row, over: dict[str, float]) -> None:
        from optuna.trial import TrialState

        if row.state == "complete":
            scores = [*row.scores.values()]
            self._add(row.vary, TrialState.COMPLETE, values=scores, constraints=over)
            return
        # A duplicate is no news: told with its score, TPE would propose it more and more often.
        steps = {}
        if row.state == "pruned" and len(self._study.score) == 1:
            steps = {row.epochs: row.curve[-1]}
        self._add(row.vary, TrialState.PRUNED, intermediate_values=steps, constraints=over)

    def _values(self, row: Row) -> list[float] | None:
        """What a sampler that knows complete trials only is told; None for nothing.

        The Gaussian process would propose an infeasible or known candidate again and again if
        it heard nothing. Evolution would fill its population with them.
        """
        if row.state in ("infeasible", "duplicate") and self._kind == "nsga2":
            return None
        known: dict[str, float | None] = {**row.costs}
        if row.state != "diverged":
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

    def _add(self, vary: Mapping[str, Any], state: TrialState, **told: Any) -> None:
        """Add a trial to the study in memory."""
        from optuna.trial import create_trial

        params, distributions = params_of(self._study, vary)
        if self._kind != "tpe":
            for name, each in self._space.items():
                if name not in params:
                    value = each.at(self._chance.random())
                    params[name] = label(value) if isinstance(each, Choice) else value
            distributions = self._distributions
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
