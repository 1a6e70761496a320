"""The folder of a study: one owner at a time, its study file, and Optuna's journal in it.

    studies/runs/NAME/ study.yaml spec.yaml environment.json journal.log lock
    studies/runs/NAME/trials/0007/ spec.yaml curve.jsonl log.txt state.pt weights.pt

Optuna is imported inside functions.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from archgen import yamlfile
from archgen.errors import ArchError, unknown
from archgen.files import reason, write_whole
from archgen.study.definition import Study
from archgen.study.load import read_study

if TYPE_CHECKING:
    import optuna

RUNS = Path("studies") / "runs"
STUDY, SPEC, JOURNAL, LOCK, TRIALS = "study.yaml", "spec.yaml", "journal.log", "lock", "trials"
# In a candidate's folder: epochs, what its process printed, a checkpoint while it is in training,
# and the weights of the best.
CURVE, LOG, STATE, WEIGHTS = "curve.jsonl", "log.txt", "state.pt", "weights.pt"
PATIENCE = 0.5
"""Seconds that a search waits for its folder's lock."""


def runs_folder(name_or_path: str | Path) -> Path:
    """The folder of a study that was searched: by name under ``studies/runs``, or by path.

    Raises:
        ArchError: There is none; the message names those there are.
    """
    given = Path(name_or_path)
    for folder in (RUNS / given, given):
        if (folder / JOURNAL).is_file():
            return folder
    known = sorted(path.parent.name for path in RUNS.glob(f"*/{JOURNAL}"))
    raise ArchError("", unknown("searched study", str(name_or_path), known))


def trial_folder(folder: Path, number: int) -> Path:
    """Where a candidate's files lie."""
    return folder / TRIALS / f"{number:04d}"


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold a study's folder, made if need be; the lock ends with the process.

    Raises:
        ArchError: Another process holds it, anything in the folder cannot be written, or this
            system has no such locks.
    """
    if find_spec("fcntl") is None:
        message = "searching needs a Unix system (Linux, macOS, WSL): this one has no fcntl"
        raise ArchError("", message)
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("a+") as lock:
            try:
                _lock(lock)
            except BlockingIOError:
                lock.seek(0)
                owner = lock.read().strip() or "unknown"
                message = f"another search is running on this study (process {owner})"
                raise ArchError("", message, file=str(folder)) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield


def _lock(lock: IO[str]) -> None:
    """Lock a file for this process alone; those who ask whether a search runs hold it an instant.

    Raises:
        BlockingIOError: It is held for longer.
    """
    import fcntl

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.01)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make one clear line of what the file system says about a study's folder."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise ArchError("", f"cannot write: {reason(error)}{where}", file=str(folder)) from None


def settle(folder: Path, study: Study) -> None:
    """Write the study into its folder, or see that the one in there is the same.

    Only the number of trials may have changed.

    Raises:
        ArchError: The folder belongs to something else; the message says what differs.
    """
    if (folder / STUDY).exists():
        old = read_study(folder / STUDY)
        _same(folder / STUDY, old.data(), {**study.data(), "spec": SPEC, "trials": old.trials})
        _same(folder / SPEC, old.net.data(), study.net.data())
    elif any(entry.name != LOCK for entry in folder.iterdir()) and not _begun(folder, study):
        raise ArchError("", f"is not empty and holds no {STUDY}: no study's", file=str(folder))
    else:
        write_whole(folder / SPEC, study.net.dump())
    write_whole(folder / STUDY, yamlfile.dump({**study.data(), "spec": SPEC}))


def _begun(folder: Path, study: Study) -> bool:
    """Whether nothing is there but this study's spec: the disk was full behind it."""
    if any(entry.name not in (LOCK, SPEC) for entry in folder.iterdir()):
        return False
    return (folder / SPEC).read_bytes() == study.net.dump().encode()


def _same(file: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = _leaves(old), _leaves(new)
    for path in {**before, **after}:
        if before.get(path) != after.get(path):
            message = (
                f"was {json.dumps(before.get(path))} when this search began and is "
                f"{json.dumps(after.get(path))} now; undo that, give the study another name, or "
                f"remove {file.parent}"
            )
            raise ArchError(path, message, file=str(file))


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Dotted path to value, for each value that is no mapping."""
    if not isinstance(value, dict):
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _leaves(inner, f"{path}.{key}" if path else key)
    return found


def repair(folder: Path) -> str | None:
    """Cut a last journal line that was not written whole, and keep it beside; say so.

    For the folder's owner, before Optuna writes: it would append to the torn line, and then no
    one could read the journal. Also removes the lock that Optuna's writer left if it was killed.
    """
    journal = folder / JOURNAL
    (folder / f"{JOURNAL}.lock").unlink(missing_ok=True)
    if not journal.exists():
        return None
    text = journal.read_bytes()
    start = text.rfind(b"\n", 0, len(text) - 1) + 1
    last = text[start:]
    if not last or (last.endswith(b"\n") and _is_json(last)):
        return None
    torn = folder / f"{JOURNAL}.torn"
    with torn.open("ab") as kept:
        kept.write(last.rstrip(b"\n") + b"\n")
    with journal.open("r+b") as stream:
        stream.truncate(start)
        os.fsync(stream.fileno())
    return f"the last line of {journal} was torn ({len(last)} bytes); it is in {torn} now"


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def open_journal(folder: Path, *, new: bool = False) -> optuna.storages.JournalStorage:
    """Optuna's storage of a study's folder.

    Args:
        folder: From `runs_folder`, or held by `owned`.
        new: Whether the journal may be made.

    Raises:
        ArchError: There is no journal, or it cannot be read.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder / JOURNAL
    if not new and not journal.is_file():
        raise ArchError("", f"holds no {JOURNAL}: nothing was searched here", file=str(folder))
    with readable(journal):
        return optuna.storages.JournalStorage(JournalFileBackend(str(journal)))


@contextmanager
def readable(journal: Path) -> Iterator[None]:
    """Read a journal; what is wrong with it becomes one clear line."""
    try:
        with uncollected():
            yield
    except (ValueError, KeyError) as error:
        message = f"damaged: {error}; a copy without the damaged line can be read"
        raise ArchError("", message, file=str(journal)) from None
    except OSError as error:
        raise ArchError("", f"cannot be read: {reason(error)}", file=str(journal)) from None


@contextmanager
def uncollected() -> Iterator[None]:
    """Read much: to look for cycles among all of it would take a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
