"""The search: propose, judge, train in processes of their own, record; until enough is trained.

Torch stays in those processes, Optuna inside functions. The caller draws: see `Status`.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archgen.errors import ArchError
from archgen.files import write_whole
from archgen.study import worker
from archgen.study.crew import Crew, Died, call
from archgen.study.definition import Study, candidate
from archgen.study.job import Done, Failed, GoingOn, Grown, Job, Message, Trained
from archgen.study.judge import row_of
from archgen.study.load import load_study
from archgen.study.place import Place, check_device, settle_in, write_ending
from archgen.study.propose import Proposer
from archgen.study.prune import gives_up
from archgen.study.record import Record
from archgen.study.report import Row, front, ranked
from archgen.study.room import probe
from archgen.study.status import GOES_ON, Ending, Outcome, Progress, Status
from archgen.study.stop import Stop
from archgen.study.storage import (
    LOG,
    RUNS,
    SPEC,
    STATE,
    TRIALS,
    WEIGHTS,
    owned,
    repair,
    settle,
    trial_folder,
)

# After so many candidates in a row that failed the next would as well.
FAILING = 5
# Behind the point of what is recorded: a candidate's own files have all.
DIGITS = 5
# How often a candidate is begun whose process is ended from outside.
TRIES = 2


@dataclass(frozen=True)
class Wish:
    """What the caller of `search` asked for, beside the study."""

    trials: int
    device: str
    workers: int | None
    hang: float
    root: Path | None
    download: bool
    blocks: tuple[Path, ...]


def search(
    study: Study | str | Path,
    *,
    trials: int | None = None,
    device: str = "auto",
    workers: int | None = None,
    folder: Path | None = None,
    root: Path | None = None,
    download: bool = False,
    blocks: Sequence[Path] = (),
    hang: float = 600.0,
    progress: Progress | None = None,
) -> Outcome:
    """Search a study, or go on where an earlier search of it stopped.

    Each candidate is trained in a process of its own. Ctrl-C and SIGTERM end the search and keep
    all results; candidates in training go on from their checkpoints when it is called again.

    Args:
        study: A study, or the name or path of its file.
        trials: How many candidates shall be trained in all; by default the study's number.
        device: ``auto``, ``cpu``, ``cuda`` (all of them), ``cuda:N`` or ``mps``.
        workers: Candidates trained side by side, dealt to the devices in turn; by default one a
            GPU, or one a core of the CPU. The cores are shared out among them, as far as the
            networks are large enough to gain from it.
        folder: Where the results go; by default ``studies/runs/NAME``.
        root: The folder of data sets; by default as `archgen.train.datasets` says.
        download: Fetch data that is not there.
        blocks: Python files that define more blocks, for the processes that train.
        hang: Seconds without a finished step after which a candidate has failed.
        progress: Called at the start, after each epoch and after each candidate.

    Raises:
        ArchError: A mistake in the study, or it is not from `load_study`; no such device; the
            folder is another study's, is in use by another search or cannot be written; its
            journal is damaged; the data is not there.
    """
    for name, value in (("trials", trials), ("workers", workers), ("hang", hang)):
        if value is not None and value < 1:
            raise ArchError(name, f"must be at least 1, not {value}")
    check_device(device)
    study = study if isinstance(study, Study) else load_study(study, root=root)
    study.net  # noqa: B018 - raises, before anything is written, if no one loaded it
    home = folder or RUNS / study.name
    wish = Wish(trials or study.trials, device, workers, hang, root, download, tuple(blocks))
    with Stop() as stop, owned(home):
        settle(home, study)
        repaired = repair(home)
        run = _Search(study, home, wish, stop, progress or _silent, repaired)
        try:
            return run.run()
        finally:
            run.crew.stop()


def _silent(_: Status) -> None:
    pass


class _Search:
    """One call of `search`, with the folder held."""

    place: Place
    proposer: Proposer

    def __init__(
        self,
        study: Study,
        home: Path,
        wish: Wish,
        stop: Stop,
        progress: Progress,
        repaired: str | None,
    ) -> None:
        self.study = study
        self.home = home
        self.wish = wish
        self.stop = stop
        self.progress = progress
        self.began = time.monotonic()
        self.crew = Crew(wish.hang)
        self.record = Record(study, home)
        self.rows = self.record.rows()
        self.left = deque(row.number for row in self.rows if row.state == "running")
        # Candidates that are trained; of the best ones the weights are being written.
        self.ending: dict[int, Row] = {}
        self.begun: Counter[int] = Counter()
        self.failed = 0
        self.exhausted = False
        self.already = self.trained = sum(row.trained for row in self.rows)
        self.best = front(self.rows, study.score)
        self.notes = [*study.changes, *([repaired] if repaired else [])]
        if self.rows:
            self.notes.append(self._going_on())

    def _going_on(self) -> str:
        said = f"{self.trained} candidates are trained already"
        if self.trained < self.wish.trials:
            said = f"going on: {said}"
        if self.left:
            which = ", ".join(map(str, self.left))
            said += f"; training of {which} was interrupted and goes on from its checkpoint"
        return said

    def run(self) -> Outcome:
        """Search to an end, then look at the test split once."""
        ending: Ending = "complete"
        message = self._said()
        untested = self.best and self.best[0].test is None
        if self.trained >= self.wish.trials and not untested:
            return self._outcome(ending, message)
        try:
            self.place = self._settle_in()
            if self.trained < self.wish.trials:
                self._prepare()
                ending, message = self._loop()
            if self.best and self.best[0].test is None:
                message += self._test(self.best[0])
        except KeyboardInterrupt:
            ending, message = "interrupted", self._interrupted()
        write_ending(self.home, ending)
        return self._outcome(ending, message)

    def _outcome(self, ending: Ending, message: str) -> Outcome:
        return Outcome(
            name=self.study.name,
            folder=self.home,
            ending=ending,
            message=message,
            trained=self.trained,
            trials=self.wish.trials,
            best=tuple(self.best),
            notes=tuple(self.notes),
        )

    def _prepare(self) -> None:
        """Look at the study's room and build the proposer."""
        self.notes += [*self.place.notes, *probe(self.study).warnings()]
        self.proposer = Proposer(self.study, self.rows, seed=self.study.sampler.seed)
        self._show(None)

    def _settle_in(self) -> Place:
        wish = self.wish
        job = Job(self.home, self.study.train, "cpu", 1, wish.root, wish.download, wish.blocks)
        net = self.study.net
        with self.stop.interruptible():
            return settle_in(job, net, device=wish.device, workers=wish.workers, trials=wish.trials)

    def _loop(self) -> tuple[Ending, str]:
        while self.failed < FAILING:
            while self._wants_more():
                with self.stop.interruptible():
                    pass
                self._next()
            if not self.crew.hands:
                return self._ended()
            with self.stop.interruptible():
                self.crew.wait(1.0)
            for number, said in self.crew.events():
                self._hear(self.rows[number], said)
        why = [row.reason for row in self.rows if row.state == "failed"][-1]
        return "failing", f"stopped: {FAILING} candidates in a row failed, the last one: {why}"

    def _wants_more(self) -> bool:
        busy = len(self.crew.hands)
        may = bool(self.left) or not self.exhausted
        return may and busy < len(self.place.devices) and self.trained + busy < self.wish.trials

    def _ended(self) -> tuple[Ending, str]:
        if self.trained >= self.wish.trials:
            return "complete", self._said()
        counts = Counter(row.state for row in self.rows)
        why = ", ".join(f"{n} {state}" for state, n in counts.items())
        return "exhausted", f"space exhausted: no candidate is left to train ({why})"

    def _said(self) -> str:
        return f"{self.trained} candidate{'s' * (self.trained != 1)} trained"

    def _interrupted(self) -> str:
        left = [str(row.number) for row in self.rows if row.state == "running"]
        which = f" in the training of {', '.join(left)}" if left else ""
        return f"interrupted{which}; {GOES_ON}"

    def _next(self) -> None:
        """Take up a candidate left by an earlier call, else the next that is proposed."""
        if self.left:
            self._take_up(self.rows[self.left.popleft()])
            return
        proposal = self.proposer.ask()
        if proposal is None:
            self.exhausted = True
            return
        judged = proposal.judged
        row = row_of(judged, len(self.rows), self.rows)
        self.rows.append(row)
        self.record.add(row, proposal.params, proposal.distributions, judged.violations)
        if row.state == "running":
            self._take_up(row)
        else:
            self.proposer.tell(row)
            self._show(row)

    def _take_up(self, row: Row) -> None:
        place = trial_folder(self.home, row.number)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / SPEC, candidate(self.study, row.values).dump())
        self._begin(row.number)

    def _begin(self, number: int) -> None:
        self.begun[number] += 1
        busy = Counter(hand.device for hand in self.crew.hands.values())
        device = min(self.place.devices, key=lambda name: busy[name])
        self.crew.start(replace(self.place.job, number=number, device=device))

    def _hear(self, row: Row, said: Message | Died) -> None:
        match said:
            case GoingOn():
                self._grow(row, said.curve)
            case Grown():
                self._grow(row, [said.epoch])
                self._show(self.rows[row.number])
            case Trained():
                self.ending[row.number] = self._scored(row, said)
                rows = [self.ending.get(row.number, row) for row in self.rows]
                self.crew.answer(row.number, row.number in self._kept(rows))
            case Done():
                self._finish(self.ending.pop(row.number))
            case Failed(everywhere=True):
                raise ArchError("", said.reason)
            case Died(again=True) if self.begun[row.number] < TRIES:
                self._show(row, f"candidate {row.number}: {said.reason}; it goes on")
                self._begin(row.number)
            case Failed() | Died():
                self.ending.pop(row.number, None)
                log = trial_folder(self.home, row.number) / LOG
                self._finish(replace(row, state="failed", reason=f"{said.reason} (see {log})"))

    def _grow(self, row: Row, epochs: Sequence[Mapping[str, Any]]) -> None:
        """Take in what epochs gave, and answer whether the candidate goes on."""
        if epochs:
            last = epochs[-1]
            row = replace(
                row,
                top1=round(last["top1"], DIGITS),
                loss=round(last["loss"], DIGITS),
                epochs=last["epoch"],
                seconds=round(last["seconds"], 3),
                curve=(
                    *row.curve[: epochs[0]["epoch"] - 1],
                    *(round(epoch[self.study.watched], DIGITS) for epoch in epochs),
                ),
            )
            self.rows[row.number] = row
        over = not epochs or row.epochs >= self.study.train.epochs
        self.crew.answer(row.number, over or not gives_up(row, self.rows, self.study))

    def _scored(self, row: Row, said: Trained) -> Row:
        if said.state != "finished":
            return replace(row, state=said.state, reason=said.reason)
        gained = {"top1": row.top1, "loss": row.loss, **row.costs}
        scores = {name: float(gained[name] or 0) for name in self.study.score}
        return replace(row, state="complete", scores=scores)

    def _kept(self, rows: Sequence[Row]) -> set[int]:
        """The candidates whose weights are worth keeping: the front, and the best few."""
        score = self.study.score
        kept = [*front(rows, score), *ranked(rows, score)[: self.study.weights]]
        return {row.number for row in kept}

    def _finish(self, row: Row) -> None:
        """Record how a candidate ended, and what depended on it."""
        self.rows[row.number] = row
        self.record.end(row)
        (trial_folder(self.home, row.number) / STATE).unlink(missing_ok=True)
        self.proposer.tell(row)
        self.trained += row.trained
        self.failed = self.failed + 1 if row.state == "failed" else 0
        self.best = front(self.rows, self.study.score)
        # One that is ending may still fail: until then it takes no other one's place.
        numbers = self._kept(self.rows) | self.ending.keys()
        kept = {trial_folder(self.home, number) for number in numbers}
        for path in (self.home / TRIALS).glob(f"*/{WEIGHTS}"):
            if path.parent not in kept:
                path.unlink()
        self._show(row)

    def _test(self, row: Row) -> str:
        """Look at the test split, once, with the best candidate; say so where that fails."""
        try:
            with self.stop.interruptible():
                top1 = call(worker.test, replace(self.place.job, number=row.number))
        except ArchError as error:
            return f"; the best, candidate {row.number}, could not be tested: {error}"
        self.record.tested(row.number, top1)
        self.rows[row.number] = replace(row, test=top1)
        self.best = front(self.rows, self.study.score)
        return ""

    def _show(self, row: Row | None, said: str = "") -> None:
        seconds = time.monotonic() - self.began
        epochs = self.study.train.epochs
        running = [row for row in self.rows if row.number in self.crew.hands]
        done = self.trained - self.already + sum(row.epochs for row in running) / epochs
        left = self.wish.trials - self.already - done
        self.progress(
            Status(
                row=row,
                running=tuple(running),
                said=said,
                epochs=epochs,
                trained=self.trained,
                trials=self.wish.trials,
                counts=dict(Counter(row.state for row in self.rows)),
                best=tuple(self.best),
                seconds=seconds,
                eta=max(0.0, seconds / done * left) if done else None,
                notes=tuple(self.notes),
            )
        )
