"""Ctrl-C and SIGTERM: training stops at once, writing is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """The first signal asks for an end; a second one does what it did before.

    A context manager. Outside the main thread it changes nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._open = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.signal(number, self._heard)
                self._before[number] = signal.SIG_DFL if before is None else before
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A stretch that a signal may break off anywhere, with KeyboardInterrupt."""
        self._open = True
        try:
            self._check()
            yield
        finally:
            self._open = False

    def _check(self) -> None:
        if self.requested:
            raise KeyboardInterrupt

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        self._restore()
        if self._open:
            self._open = False
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
