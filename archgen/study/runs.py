"""The searches under a folder, and whether one is running. No torch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from archgen.errors import ArchError
from archgen.study.definition import Direction
from archgen.study.place import known_runs, wished
from archgen.study.report import Row, leaders, studied, trials
from archgen.study.storage import JOURNAL, LOCK, RUNS, readable

State = Literal[
    "running",  # a process holds its folder
    "complete",  # as many candidates were trained as were asked for
    "exhausted",  # no candidate was left to train
    "stopped",  # none of these: the same command goes on
    "damaged",  # it cannot be read
]


@dataclass(frozen=True)
class Run:
    """A search that left a folder.

    Args:
        name: The study's name; the folder's where it cannot be read.
        folder: Where it lies.
        state: How far it is.
        trained: Candidates trained so far.
        trials: Candidates that were asked for.
        score: What is optimised, and which way.
        best: The best complete candidate, or with two scores the Pareto front.
        changed: When it last wrote; local time.
        problem: Why it cannot be read; else empty.
    """

    name: str
    folder: Path
    state: State
    trained: int
    trials: int
    score: dict[str, Direction]
    best: tuple[Row, ...]
    changed: datetime
    problem: str = ""


def runs(folder: Path = RUNS) -> list[Run]:
    """All searches in a folder, the latest first; a damaged one is no error, but says so."""
    found = []
    for journal in folder.glob(f"*/{JOURNAL}"):
        with suppress(ArchError):  # it was taken away since
            found.append(_run(journal.parent, changed(journal.parent)))
    return sorted(found, key=lambda run: run.changed, reverse=True)


def _run(folder: Path, when: datetime) -> Run:
    try:
        study, rows = studied(folder), trials(folder)
    except ArchError as error:
        return Run(folder.name, folder, "damaged", 0, 0, {}, (), when, str(error))
    trained = sum(row.trained for row in rows)
    best = leaders(rows, study.score)[: None if len(study.score) > 1 else 1]
    name, asked = study.name, wished(known_runs(folder), study.trials)
    state = state_of(folder, trained, asked)
    return Run(name, folder, state, trained, asked, dict(study.score), tuple(best), when)


def state_of(folder: Path, trained: int, trials: int) -> State:
    """Whether a search is running, complete, exhausted or stopped.

    Args:
        folder: Its folder.
        trained: Candidates trained so far.
        trials: Candidates that were asked for.
    """
    if held(folder):
        return "running"
    if trained >= trials:
        return "complete"
    ending = next((run.get("ending") for run in reversed(known_runs(folder))), None)
    return "exhausted" if ending == "exhausted" else "stopped"


def held(folder: Path) -> bool:
    """Whether a process on this machine is searching in a folder.

    The lock is asked for and given back at once; a search that begins in that instant waits.
    """
    try:
        import fcntl

        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        pass
    return False


def owner(folder: Path) -> int | None:
    """The process on this machine that is searching in a folder; None where there is none."""
    if not held(folder):
        return None
    try:
        number = int((folder / LOCK).read_text())
    except (OSError, ValueError):  # it has just ended, or just begun
        return None
    return number if _opened(number, folder / LOCK) else None


def _opened(process: int, lock: Path) -> bool:
    """Whether a process has the lock open: on a shared disk it may be another machine's."""
    handles = Path(f"/proc/{process}/fd")
    if not Path("/proc/self/fd").is_dir():  # not Linux
        return True
    try:
        return any(handle.resolve() == lock.resolve() for handle in handles.iterdir())
    except OSError:
        return False


def changed(folder: Path) -> datetime:
    """When a search last wrote to its journal; local time, to the second.

    Raises:
        ArchError: It has none (any more).
    """
    with readable(folder / JOURNAL):
        stamp = (folder / JOURNAL).stat().st_mtime
    return datetime.fromtimestamp(stamp, UTC).astimezone().replace(microsecond=0)
