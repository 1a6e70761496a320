"""A study's folder read again and again while a search writes to it: each time what is new.

Nothing is written, and the folder's lock is held for an instant only. Optuna is imported inside
functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from archgen.study.definition import Study
from archgen.study.place import ENVIRONMENT
from archgen.study.report import TEST, Row, read_row, studied
from archgen.study.runs import held
from archgen.study.storage import JOURNAL, SPEC, STUDY, open_journal, readable

if TYPE_CHECKING:
    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial

Stamp = tuple[object, ...]
_WATCHED = (JOURNAL, STUDY, SPEC, ENVIRONMENT)


class Watch:
    """One study's folder, for several readers in several threads.

    Args:
        folder: From `archgen.study.runs_folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._storage: JournalStorage | None = None
        self._first, self._size = b"", 0
        self._known: list[tuple[FrozenTrial, Row]] = []
        self._study: tuple[Stamp, Study] | None = None

    def stamp(self) -> Stamp:
        """Give what is another one when there is something new to read; takes no time."""
        return (*self._stats(*_WATCHED), held(self.folder))

    def study(self) -> Study:
        """Read the study as its latest search began it.

        Raises:
            ArchError: There is none, or it is damaged.
        """
        with self._lock:
            stamp = self._stats(STUDY, SPEC)
            if self._study is None or self._study[0] != stamp:
                self._study = stamp, studied(self.folder)
            return self._study[1]

    def rows(self) -> tuple[Row, ...]:
        """Read all candidates in the order of asking; those that did not change are the same rows.

        Raises:
            ArchError: There is no journal, or it is damaged.
        """
        with self._lock, readable(self.folder / JOURNAL):
            storage = self._followed()
            studies = storage.get_all_studies()
            if studies:  # none: the search ended before it could write, or is about to
                test = studies[0].user_attrs.get(TEST, {})
                self._follow(storage.get_all_trials(studies[0]._study_id, deepcopy=False), test)
            self._storage = storage
            return tuple(row for _, row in self._known)

    def _followed(self) -> JournalStorage:
        """Take the open journal, or open it: at first, after an error, and if it is another."""
        with (self.folder / JOURNAL).open("rb") as stream:
            first, size = stream.readline(), stream.seek(0, 2)
        storage, self._storage = self._storage, None
        if storage is None or first != self._first or size < self._size:
            self._known = []
            storage = open_journal(self.folder)
        self._first, self._size = first, size
        return storage

    def _follow(self, trials: Sequence[FrozenTrial], test: Mapping[str, float]) -> None:
        """Make rows of what is new: Optuna replaces a trial that changes by another one."""
        for index, trial in enumerate(trials):
            if index == len(self._known):
                self._known.append((trial, read_row(trial, test)))
                continue
            old, row = self._known[index]
            if old is not trial or row.test != test.get(str(trial.number)):
                self._known[index] = trial, read_row(trial, test)

    def _stats(self, *names: str) -> Stamp:
        found: list[object] = []
        for name in names:
            with suppress(OSError):
                stat = (self.folder / name).stat()
                found.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(found)
