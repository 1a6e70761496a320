"""Who proposes candidates: a model of Optuna's, a Sobol sequence, chance, or a grid.

What a search leaves is recorded elsewhere. Optuna and SciPy are imported inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from archgen.study.definition import Study
from archgen.study.judge import Judged, is_taken, judge
from archgen.study.report import Row
from archgen.study.sampler import SHOWN, STARTUP, Model, params_of, seed_of
from archgen.study.space import combination, everything, label, values_at

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

# After so many proposals that train nothing, the next is a new feasible candidate of chance.
STUCK = 2
# Candidates that are judged, at most, to find it: milliseconds each.
LOOKS = 50
# A space of up to so many combinations is exhausted when all were judged; a larger one when so
# many random candidates in a row were infeasible or known: had one in 500 been neither, it would
# have been found with a chance of 98 %.
FINITE, MISSES = 10_000, 2_000


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

    Until `STARTUP` candidates are trained, a model is given feasible and new ones; and so is
    every sampler but the grid whenever its last `STUCK` proposals trained nothing. All other
    proposals are the sampler's own.

    Args:
        study: From `load_study`.
        rows: Of earlier calls; those still running are open.
        seed: With the number of rows, decides what is proposed.
    """

    def __init__(self, study: Study, rows: Sequence[Row], *, seed: int) -> None:
        self._study = study
        self._taken = {row.digest for row in rows if is_taken(row)}
        self._trained = sum(row.trained for row in rows)
        self._idle = 0
        mixed = seed_of(seed, len(rows))
        self._chance = Random(mixed)  # noqa: S311 - no secret
        kind = study.sampler.kind
        known = {label(row.vary) for row in rows}
        self._fresh = _Fresh(study, known, self._chance)
        self._grid = _shuffled(study, known, seed) if kind == "grid" else None
        self._model = Model(study, rows, self._chance, mixed) if kind in SHOWN else None
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
        starts = self._model is not None and self._trained < STARTUP
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
        self._trained += row.trained
        if self._model is not None:
            self._model.tell(row)


def _sobol(study: Study, seed: int, done: int) -> Iterator[dict[str, float]]:
    """A scrambled Sobol sequence over all parameters, gone on with behind what was asked."""
    from scipy.stats.qmc import Sobol

    names = [*everything(study.vary)]
    sequence = Sobol(len(names), rng=seed)
    if done:
        sequence.fast_forward(done)
    while True:
        yield dict(zip(names, sequence.random(1)[0].tolist(), strict=True))


def _shuffled(study: Study, known: set[str], seed: int) -> Iterator[dict[str, Any]]:
    """All combinations of a finite space but the known ones, in an order of chance."""
    size = study.size or 0
    for index in Random(seed).sample(range(size), size):  # noqa: S311 - no secret
        vary = combination(study.vary, index)
        if label(vary) not in known:
            yield vary


class _Fresh:
    """Finds new feasible candidates by chance, and knows when there are none.

    Args:
        study: Its space.
        known: Combinations that need no look, as labels.
        chance: Where candidates come from.
    """

    def __init__(self, study: Study, known: set[str], chance: Random) -> None:
        self._study = study
        self._known = known
        self._chance = chance
        self._misses = 0
        self._order: Iterator[int] | None = None
        if study.size is not None and study.size <= FINITE:
            self._order = iter(chance.sample(range(study.size), study.size))

    def judge(self, vary: dict[str, Any]) -> Judged:
        """Judge a proposal of someone else; it needs no further look."""
        self._known.add(label(vary))
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
            if label(vary) in self._known:
                continue
            self._known.add(label(vary))
            yield vary
            looks += 1
            if looks == LOOKS:
                return
