"""The search: ask, keep, train, tell, until enough candidates are trained.

Torch and Optuna are imported inside functions. The caller draws: see `Status`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from archgen.errors import ArchError
from archgen.spec import Net
from archgen.study import storage
from archgen.study.judge import row_of as judged_row
from archgen.study.load import load_study
from archgen.study.propose import Proposal, Proposer
from archgen.study.prune import gives_up
from archgen.study.report import CANDIDATE, OUTCOME, TEST, Row, attributes, front, row_of, rows_of
from archgen.study.room import probe
from archgen.study.space import Study
from archgen.study.status import Ending, Outcome, Progress, Status
from archgen.study.stop import Stop
from archgen.study.trainer import Pruned, Trainer

if TYPE_CHECKING:
    import optuna


def search(
    study: Study | str | Path,
    *,
    trials: int | None = None,
    device: str = "auto",
    threads: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Search a study, or go on where an earlier search of it stopped.

    Ctrl-C and SIGTERM end it and keep all results; the candidate in training is lost.

    Args:
        study: A study, or the name or path of its file.
        trials: How many candidates shall be trained in all; by default the study's number.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        threads: Threads of a CPU run. Networks as small as those for digits gain little from
            two (1.2x), and lose far more when the machine is not idle.
        folder: Where the results go; by default ``studies/runs/NAME``.
        progress: Called at the start, after each epoch and after each candidate.

    Raises:
        ArchError: A mistake in the study, or it is not from `load_study`; no such device; the
            folder is another study's, is in use by another search or cannot be written; its
            journal is damaged.
    """
    for name, value in (("trials", trials), ("threads", threads)):
        if value is not None and value < 1:
            raise ArchError(name, f"must be at least 1, not {value}")
    study = study if isinstance(study, Study) else load_study(study)
    study.net  # noqa: B018 - raises, before anything is written, if no one loaded it
    home = folder or storage.RUNS / study.name
    with Stop() as stop:
        from archgen.train.loop import choose_device, use_threads

        chosen = choose_device(device)
        with storage.owned(home), use_threads(threads):
            storage.settle(home, study)
            repaired = storage.repair(home)
            notes = [repaired] if repaired else []
            trainer = Trainer(study, home, str(chosen))
            wanted = trials or study.trials
            return _Search(study, trainer, stop, wanted, notes, progress or _silent).run()


def _silent(_: Status) -> None:
    pass


class _Search:
    """One call of `search`, with the folder held.

    Opens the journal, ends what an earlier process left open there, and seeds the sampler.
    """

    def __init__(
        self,
        study: Study,
        trainer: Trainer,
        stop: Stop,
        trials: int,
        notes: list[str],
        progress: Progress,
    ) -> None:
        import optuna

        self.study = study
        self.trainer = trainer
        self.stop = stop
        self.trials = trials
        self.progress = progress
        self.began = time.monotonic()
        self.optuna = optuna.create_study(
            storage=storage.open_journal(trainer.home, new=True),
            study_name=study.name,
            directions=list(study.score.values()),
            pruner=optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        running = (optuna.trial.TrialState.RUNNING,)
        for trial in self.optuna.get_trials(deepcopy=False, states=running):
            self._end(trial.number, row_of(trial, {}))
        self._take(rows_of(self.optuna))
        self.already = self.trained
        if self.rows:
            notes = [*notes, f"{self.already} candidates are trained already; going on behind them"]
        self.notes = (*notes, *probe(study).warnings())
        self.proposer = Proposer(study, self.rows, seed=study.sampler.seed)

    def _take(self, rows: list[Row]) -> None:
        self.rows = rows
        self.trained = sum(row.trained for row in rows)
        self.best = tuple(front(rows, self.study.score))

    def run(self) -> Outcome:
        """Search to an end, then look at the test split once."""
        self._show(None)
        ending, message = self._loop()
        if ending != "interrupted" and self.best and self.best[0].test is None:
            known = self.optuna.user_attrs.get(TEST, {})
            tested = {str(self.best[0].number): self.trainer.test(self.best[0])}
            self.optuna.set_user_attr(TEST, {**known, **tested})
            self._take(rows_of(self.optuna))
        return Outcome(
            name=self.study.name,
            folder=self.trainer.home,
            ending=ending,
            message=message,
            trained=self.trained,
            trials=self.trials,
            best=self.best,
            notes=self.notes,
        )

    def _loop(self) -> tuple[Ending, str]:
        while self.trained < self.trials:
            if self.stop.requested:
                return "interrupted", "interrupted; the same command goes on from here"
            proposal = self.proposer.ask()
            if proposal is None:
                counts = Counter(row.state for row in self.rows)
                why = ", ".join(f"{n} {state}" for state, n in counts.items())
                return "exhausted", f"space exhausted: of {len(self.rows)} candidates {why}"
            if not self._candidate(proposal):
                return "interrupted", "interrupted; the same command goes on from here"
        return "complete", f"{self.trained} candidates trained"

    def _candidate(self, proposal: Proposal) -> bool:
        """Take one candidate through all steps; False if a signal broke its training off."""
        judged = proposal.judged
        self.optuna.enqueue_trial(proposal.params)
        trial = self.optuna.ask(proposal.distributions)
        row = judged_row(judged, trial.number, self.rows)
        for name, value in judged.violations.items():
            trial.set_constraint(name, value)
        trial.set_user_attr(CANDIDATE, attributes(row)[CANDIDATE])
        if row.state == "running" and judged.net is not None:
            row = self._train(trial, row, judged.net)
        trial.set_user_attr(OUTCOME, attributes(row)[OUTCOME])
        self._end(trial, row)
        self.proposer.tell(row)
        self._take([*self.rows, row])
        self.trainer.keep_only(self.best)
        self._show(row)
        return row.state != "interrupted"

    def _end(self, trial: optuna.Trial | int, row: Row) -> None:
        """End a trial in the record. FAIL is for what says nothing about a network."""
        from optuna.trial import TrialState

        if row.scores:
            self.optuna.tell(trial, list(row.scores.values()))
        elif row.state in ("interrupted", "failed", "running"):
            self.optuna.tell(trial, state=TrialState.FAIL)
        else:
            self.optuna.tell(trial, state=TrialState.PRUNED)

    def _train(self, trial: optuna.Trial, row: Row, net: Net) -> Row:
        """Train a candidate to whatever end it comes to."""

        def report(now: Row) -> None:
            with self.stop.whole():
                if len(self.study.score) == 1:
                    trial.report(now.curve[-1], now.epochs - 1)
                self._show(now)
                if gives_up(now, self.rows, self.study):
                    raise Pruned

        try:
            with self.stop.interruptible():
                row, model = self.trainer.train(row, net, report)
        except KeyboardInterrupt:
            return replace(row, state="interrupted")
        except Exception as error:
            failed = replace(row, state="failed", reason=str(error).partition("\n")[0])
            trial.set_user_attr(OUTCOME, attributes(failed)[OUTCOME])
            self._end(trial, failed)
            raise
        if row in front([*self.best, row], self.study.score):
            self.trainer.keep(row, model)
        return row

    def _show(self, row: Row | None) -> None:
        seconds = time.monotonic() - self.began
        epochs = self.study.train.epochs
        done = float(self.trained - self.already)
        if row is not None and row.state == "running":
            done += row.epochs / epochs
        left = self.trials - self.already - done
        self.progress(
            Status(
                row=row,
                epochs=epochs,
                trained=self.trained,
                trials=self.trials,
                counts=dict(Counter(row.state for row in self.rows)),
                best=self.best,
                seconds=seconds,
                eta=max(0.0, seconds / done * left) if done else None,
                notes=self.notes,
            )
        )
