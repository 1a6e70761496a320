"""What a search left, as plain rows: all candidates, the best, the best as a spec. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archgen import yamlfile
from archgen.errors import ArchError
from archgen.spec import Net, load
from archgen.study.definition import TRAINED, Direction, Study
from archgen.study.load import read_study
from archgen.study.storage import (
    JOURNAL,
    SPEC,
    STUDY,
    open_journal,
    readable,
    trial_folder,
    uncollected,
)

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

State = Literal[
    "running",  # in training, or interrupted: the next search goes on with it
    "complete",  # trained to the end
    "pruned",  # trained and given up behind the median
    "diverged",  # trained until a loss was no finite number
    "memory",  # too large for the memory, even with half the batch
    "infeasible",  # over a limit, or does not build: never trained
    "duplicate",  # the same network as an earlier one: never trained again
    "failed",  # its process raised an error, hung or was ended
]
# What Optuna's journal calls the two parts of a row, and the study's test accuracies.
CANDIDATE, OUTCOME, TEST = "candidate", "outcome", "test"
TRAINED_STATES: tuple[State, ...] = ("complete", "pruned", "diverged", "memory")


@dataclass(frozen=True)
class Row:
    """One candidate.

    Args:
        number: Counted from 0 in the order of asking.
        state: How far it came.
        vary: Dotted path to value, for all that varies.
        costs: Exact costs by name (``params``, ``macs``, ...); empty if it does not build.
        digest: Equal for equal networks; empty if it does not build.
        scores: The study's scores by name; of complete candidates and their duplicates only.
        top1: Validation accuracy after its last epoch, in percent.
        loss: Validation cross-entropy after its last epoch, in nats an image.
        epochs: Epochs trained.
        curve: The study's first trained score after each epoch.
        seconds: Training time.
        reason: Why it is infeasible, which one it repeats, how it failed.
        test: Test accuracy in percent, of the best candidate when a search has ended.
        solved: Dotted path to the number that was solved for, where the study asks for a cost.
    """

    number: int
    state: State
    vary: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    top1: float | None = None
    loss: float | None = None
    epochs: int = 0
    curve: tuple[float, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    test: float | None = None
    solved: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """All that sets it apart from the study's spec, by dotted path."""
        return {**self.vary, **self.solved}

    @property
    def trained(self) -> bool:
        """Whether it counts as a trained candidate."""
        return self.state in TRAINED_STATES


def trials(folder: Path) -> list[Row]:
    """All candidates of a study's folder, in the order of asking.

    Raises:
        ArchError: Nothing was searched there, or the journal is damaged.
    """
    with readable(folder / JOURNAL):  # each look reads it again: it may be gone
        storage = open_journal(folder)
        known = storage.get_all_studies()  # none: the search ended before it could write
        return rows_of(storage, known[0].study_name) if known else []


def rows_of(storage: BaseStorage, name: str) -> list[Row]:
    """All candidates of the study called ``name`` in an open storage."""
    study = storage.get_study_id_from_name(name)
    test = storage.get_study_user_attrs(study).get(TEST, {})
    with uncollected():
        return [read_row(trial, test) for trial in storage.get_all_trials(study, deepcopy=False)]


def read_row(trial: FrozenTrial, test: Mapping[str, float]) -> Row:
    """One candidate as a row.

    Args:
        trial: As Optuna gives it.
        test: Test accuracy in percent by candidate number.
    """
    told = {"state": "running", **trial.user_attrs.get(OUTCOME, {})}
    told["curve"] = tuple(told.get("curve", ()))
    known = trial.user_attrs.get(CANDIDATE, {})
    return Row(number=trial.number, **known, **told, test=test.get(str(trial.number)))


def attributes(row: Row) -> dict[str, dict[str, Any]]:
    """What a row leaves in the journal: what the candidate is, and how far it came."""
    known = {"vary": row.vary, "costs": row.costs, "digest": row.digest}
    known |= {"solved": row.solved} if row.solved else {}
    blank = Row(row.number, "running")
    ended: dict[str, Any] = {
        "state": row.state,
        "scores": row.scores,
        "top1": row.top1,
        "loss": row.loss,
    }
    ended |= {"epochs": row.epochs, "curve": row.curve, "seconds": row.seconds}
    ended["reason"] = row.reason
    told = {key: value for key, value in ended.items() if value != getattr(blank, key)}
    return {CANDIDATE: known, OUTCOME: told}


def front(rows: Iterable[Row], score: Mapping[str, Direction]) -> list[Row]:
    """The best complete candidates: one, or with two scores all that no other one beats.

    Of equal ones the one with fewer MACs, then the earlier. Ordered by the first score.
    """
    found: list[Row] = []
    for row in ranked(rows, score):
        beaten = any(
            all(gain(other, name, way) >= gain(row, name, way) for name, way in score.items())
            for other in found
        )
        if not beaten:
            found.append(row)
    return found


def leaders(rows: Iterable[Row], score: Mapping[str, Direction]) -> list[Row]:
    """The best first: all complete candidates, or with two scores those of the front."""
    return front(rows, score) if len(score) > 1 else ranked(rows, score)


def ranked(rows: Iterable[Row], score: Mapping[str, Direction]) -> list[Row]:
    """All complete candidates, the best first score first."""

    def order(row: Row) -> tuple[float, ...]:
        gains = (-gain(row, name, way) for name, way in score.items())
        return (*gains, row.costs["macs"], row.number)

    return sorted((row for row in rows if row.state == "complete"), key=order)


def value_of(row: Row, name: str) -> float | None:
    """A score or cost of a candidate; of a trained one also what its last epoch gave."""
    if name in row.scores:
        return row.scores[name]
    if name in TRAINED:
        last: float | None = getattr(row, name)
        return last
    return row.costs.get(name)


def gain(row: Row, name: str, direction: Direction) -> float:
    """A score so that more is better; a cost is known before training."""
    value = row.scores[name] if name in row.scores else row.costs[name]
    return value if direction == "maximize" else -value


def studied(folder: Path) -> Study:
    """The study that a folder belongs to, as it was when the search began.

    Raises:
        ArchError: There is none, or it is damaged.
    """
    return read_study(folder / STUDY)


def best(folder: Path, *, count: int | None = None) -> list[Row]:
    """The best candidates, the best first: with two scores those of the Pareto front.

    Args:
        folder: Of a search.
        count: How many at most; None for all.

    Raises:
        ArchError: Nothing was searched there.
    """
    return leaders(trials(folder), scores_of(folder))[:count]


def scores_of(folder: Path) -> dict[str, Direction]:
    """The study's scores and which way is better."""
    score: dict[str, Direction] = yamlfile.read(folder / STUDY).value["score"]
    return score


def best_net(folder: Path, *, number: int | None = None) -> Net:
    """A trained candidate as a network: the best by the first score, or that of a number.

    Raises:
        ArchError: No candidate is complete, or none of that number was trained.
    """
    if number is None:
        rows = best(folder, count=1)
        if not rows:
            raise ArchError("", "no candidate is complete yet", file=str(folder))
        number = rows[0].number
    spec = trial_folder(folder, number) / SPEC
    if not spec.is_file():
        raise ArchError("", f"candidate {number} was not trained", file=str(folder))
    return load(spec)
