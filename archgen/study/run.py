"""The search: ask, keep, train, tell, until enough candidates are trained.

Torch and Optuna are imported inside functions. The caller draws: see `Status`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from archgen.analysis import cost
from archgen.errors import ArchError
from archgen.spec import Net
from archgen.study import sampling, storage
from archgen.study.load import load_study
from archgen.study.prune import behind, rivals
from archgen.study.report import CANDIDATE, OUTCOME, TEST, Row, attributes, front, row_of, rows_of
from archgen.study.room import probe
from archgen.study.space import COSTS, Study, candidate, violations
from archgen.study.status import Ending, Outcome, Progress, Status
from archgen.study.stop import Stop
from archgen.study.trainer import Pruned, Trainer

if TYPE_CHECKING:
    import optuna

# Asks in a row that train nothing: from the first on chance proposes, at the second it ends.
STUCK, EXHAUSTED = 10, 200


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
        from archgen.train.device import choose_device, use_threads

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
            sampling.tell(self.optuna, trial.number, row_of(trial, {}))
        self._take(rows_of(self.optuna))
        self.already = self.trained
        if self.rows:
            notes = [*notes, f"{self.already} candidates are trained already; going on behind them"]
        room = probe(study)
        self.notes = (*notes, *room.warnings())
        seed = sampling.seed_of(study, len(self.rows))
        self.sampler = sampling.sampler(study.sampler.kind, seed, room)
        self.chance = optuna.samplers.RandomSampler(seed=seed)
        self.space = sampling.space(study)

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
        idle = 0
        while self.trained < self.trials:
            if idle == EXHAUSTED:
                counts = Counter(row.state for row in self.rows[-idle:])
                why = " and ".join(f"{n} {state}" for state, n in counts.items())
                return "exhausted", f"space exhausted: the last {idle} candidates were {why}"
            if self.stop.requested or not self._candidate(stuck=idle >= STUCK):
                return "interrupted", "interrupted; the same command goes on from here"
            idle = 0 if self.rows[-1].trained else idle + 1
        return "complete", f"{self.trained} candidates trained"

    def _candidate(self, *, stuck: bool) -> bool:
        """Take one candidate through all steps; False if a signal broke its training off."""
        self.optuna.sampler = self.chance if stuck else self.sampler
        trial = self.optuna.ask(self.space)
        row, net = self._judge(trial)
        trial.set_user_attr(CANDIDATE, attributes(row)[CANDIDATE])
        if net is not None:
            row = self._train(trial, row, net)
        trial.set_user_attr(OUTCOME, attributes(row)[OUTCOME])
        sampling.tell(self.optuna, trial, row)
        self._take([*self.rows, row])
        self.trainer.keep_only(self.best)
        self._show(row)
        return row.state != "interrupted"

    def _judge(self, trial: optuna.Trial) -> tuple[Row, Net | None]:
        """The candidate's row, and itself if it is to be trained. Optuna hears of the limits."""
        row = Row(trial.number, "running", vary=sampling.values(self.study, trial.params))
        net, paid, why = None, None, ""
        try:
            net = candidate(self.study, row.vary)
            paid = cost(net)
            costs = {name: getattr(paid, name) for name in COSTS}
            row = replace(row, costs=costs, digest=net.digest())
        except ArchError as error:
            why = str(error)
        over = violations(self.study, paid)
        for name, value in over.items():
            trial.set_constraint(name, value)
        if broken := [f"{name} by {value:.0%}" for name, value in over.items() if value > 0]:
            reason = why or f"beyond {', '.join(broken)}"
            return replace(row, state="infeasible", reason=reason), None
        for known in self.rows:
            if known.trained and known.digest == row.digest:
                reason = f"the same network as {known.number}"
                same = replace(known, number=row.number, vary=row.vary, seconds=0.0, test=None)
                return replace(same, state="duplicate", reason=reason), None
        return row, net

    def _train(self, trial: optuna.Trial, row: Row, net: Net) -> Row:
        """Train a candidate to whatever end it comes to."""

        def report(now: Row) -> None:
            with self.stop.whole():
                if len(self.study.score) == 1:
                    trial.report(now.curve[-1], now.epochs - 1)
                self._show(now)
                if now.epochs < self.study.train.epochs and self._is_behind(now):
                    raise Pruned

        try:
            with self.stop.interruptible():
                row, model = self.trainer.train(row, net, report)
        except KeyboardInterrupt:
            return replace(row, state="interrupted")
        except Exception as error:
            failed = replace(row, state="failed", reason=str(error).partition("\n")[0])
            trial.set_user_attr(OUTCOME, attributes(failed)[OUTCOME])
            sampling.tell(self.optuna, trial, failed)
            raise
        if row in front([*self.best, row], self.study.score):
            self.trainer.keep(row, model)
        return row

    def _is_behind(self, row: Row) -> bool:
        return behind(
            row.curve,
            [other.curve for other in rivals(row, self.rows, self.study.score)],
            pruner=self.study.pruner,
            direction=self.study.score[self.trainer.watched],
        )

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
