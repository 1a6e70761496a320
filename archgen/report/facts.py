"""All that a report says, before anything is drawn: read from a study's folder once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from archgen.report.importance import importances
from archgen.spec import Net
from archgen.study.definition import TRAINED, Study, candidate, violations
from archgen.study.place import known_runs, wished
from archgen.study.report import Row, leaders, studied, trials
from archgen.study.runs import State, changed, state_of
from archgen.study.space import Parameter, everything, walk
from archgen.view import NAMES, brief, chosen, endings, with_unit

SHOWN = 3
"""Networks that are drawn and have curves of their own."""
LISTED = 10
"""Candidates in the table of the best."""
LABELS = {name: with_unit(name) for name in NAMES}
MEANINGS = {
    "complete": "trained to the end",
    "pruned": "given up early: behind the others at the same epoch",
    "diverged": "trained until a loss was no finite number",
    "memory": "too large for the device's memory",
    "running": "in training, or waiting to be gone on with",
    "infeasible": "beyond a limit, or does not build: never trained",
    "duplicate": "the same network as an earlier one: never trained again",
    "failed": "its process raised an error, hung or was ended",
}


@dataclass(frozen=True)
class Facts:
    """A search as it stands.

    Args:
        study: As it was when the search began.
        state: Whether it is running, complete or stopped.
        changed: When it last wrote.
        rows: All candidates, in the order of asking.
        best: The best complete ones: with two scores the Pareto front.
        nets: The first few of them as networks, by candidate number.
        importances: For each score, what part each parameter has in reaching the best of it; empty
            while there are too few complete candidates to tell.
        runs: What each call of the search said about its machine; may be empty.
    """

    study: Study
    state: State
    changed: datetime
    rows: tuple[Row, ...]
    best: tuple[Row, ...]
    nets: dict[int, Net]
    importances: dict[str, dict[str, float]]
    runs: tuple[dict[str, Any], ...] = ()

    @property
    def watched(self) -> str:
        """The first score that comes from training: what curves and histories show."""
        return next(name for name in self.study.score if name in TRAINED)

    @property
    def against(self) -> str:
        """What that score is shown against: the other score, else a limited cost, else MACs."""
        others = [name for name in self.study.score if name != self.watched]
        limited = [name for name in ("macs", "params") if name in self.study.keep]
        return next(iter([*others, *limited, *self.study.keep, "macs"]))

    @property
    def leading(self) -> tuple[Row, ...]:
        """The best complete one, or with two scores the Pareto front."""
        return self.best if len(self.study.score) > 1 else self.best[:1]

    @property
    def complete(self) -> list[Row]:
        """Candidates trained to the end, in the order of asking."""
        return [row for row in self.rows if row.state == "complete"]

    @property
    def trained(self) -> int:
        """How many candidates were trained, whatever became of them."""
        return sum(row.trained for row in self.rows)

    @property
    def trials(self) -> int:
        """How many candidates shall be trained in all."""
        return wished(self.runs, self.study.trials)

    @property
    def counts(self) -> Counter[str]:
        """How many candidates are in each state, most first."""
        return Counter(dict(Counter(row.state for row in self.rows).most_common()))

    @property
    def seconds(self) -> float:
        """Training time of all candidates together."""
        return sum(row.seconds for row in self.rows)

    def beyond(self) -> Counter[str]:
        """How many infeasible candidates break each limit, or do not build."""
        found: Counter[str] = Counter()
        for row in self.rows:
            if row.state != "infeasible":
                continue
            if not row.costs:
                found["does not build"] += 1
            over = violations(self.study, row.costs)
            for name, limit in self.study.keep.items():
                if over.get(f"{name}.max", 0) > 0:
                    found[f"{name} above {limit.max:,.0f}"] += 1
                if over.get(f"{name}.min", 0) > 0:
                    found[f"{name} below {limit.min:,.0f}"] += 1
                if over.get(f"{name}.equal", 0) > 0:
                    found[f"{name} not within {limit.within} of {limit.equal:,.0f}"] += 1
        return found

    def failures(self) -> Counter[str]:
        """Why candidates failed, diverged or did not build, in the words of the record."""
        told = (row for row in self.rows if row.reason and row.state != "duplicate")
        return Counter(row.reason for row in told if not (row.state == "infeasible" and row.costs))


def error_of(row: Row, name: str) -> float:
    """A complete candidate's error: 100 - top1 in percent, or its loss."""
    return 100 - row.scores[name] if name == "top1" else row.scores[name]


def facts_of(folder: Path) -> Facts:
    """Read a study's folder; a search may be writing to it.

    Raises:
        ArchError: Nothing was searched there, or what is there is damaged.
    """
    study = studied(folder)
    rows = trials(folder)
    known = known_runs(folder)
    state = state_of(folder, sum(row.trained for row in rows), wished(known, study.trials))
    found = gather(study, rows, state, changed(folder))
    return replace(found, runs=tuple(known))


def gather(study: Study, rows: Sequence[Row], state: State, when: datetime) -> Facts:
    """The facts that follow from a study and its rows."""
    two = len(study.score) > 1
    best = leaders(rows, study.score)[: None if two else LISTED]
    shown = spread(best, SHOWN) if two else best[:SHOWN]
    return Facts(
        study=study,
        state=state,
        changed=when,
        rows=tuple(rows),
        best=tuple(best),
        nets={row.number: candidate(study, row.values) for row in shown},
        importances=importances(study, rows),
    )


def spread(rows: Sequence[Row], most: int) -> list[Row]:
    """The first, the last and some between, so that a whole front is shown by a few."""
    if len(rows) <= most:
        return list(rows)
    return [rows[round(index * (len(rows) - 1) / (most - 1))] for index in range(most)]


def named(study: Study, row: Row) -> dict[str, Any]:
    """A candidate's values by parameter, those of a choice's values told apart.

    ``alpha`` under one kind of schedule is not ``alpha`` under another: they have names of their
    own, which `archgen.study.space.walk` gives. Mappings are in words.
    """
    return {
        one.name: chosen(one, row) if isinstance(one.value, dict) else one.value
        for one in _walked(study, row)
    }


def spoken(study: Study, rows: Sequence[Row]) -> dict[str, str]:
    """Short words for the parameters of some candidates, in the order of the study.

    ``alpha if additive``: as much of the path as tells it from others, and what it hangs on.
    """
    ends = endings(path for row in rows for path in row.vary)
    said: dict[str, str] = {}
    for row in rows:
        found = _walked(study, row)
        for one in found:
            above = [brief(of.value) for of in found if one.name.startswith(f"{of.name}=")]
            said.setdefault(one.name, " if ".join([ends[one.path], *above[-1:]]))
    return {name: said[name] for name in everything(study.vary) if name in said}


def _walked(study: Study, row: Row) -> list[Parameter]:
    return list(walk(study.vary, lambda _, path, __: row.vary[path]))


def paths(rows: Iterable[Row]) -> list[str]:
    """All that sets some candidate apart, in the order of the study."""
    return list(dict.fromkeys(path for row in rows for path in row.values))
