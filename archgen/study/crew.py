"""The processes that train for a search: one a candidate, watched, ended with the search.

They are forked from a server that has PyTorch loaded, so that one starts in milliseconds, and
has never touched a GPU, so that each may. A process gives back all of its memory when it ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, forkserver, get_context
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from typing import Any

from archgen.errors import ArchError
from archgen.study import worker
from archgen.study.job import Alive, Done, Failed, Job, Message
from archgen.train.datasets import TOLD, Size

_FORKS = get_context("forkserver")
# The exit code that multiprocessing gives when the server ended: the process itself may live.
_ORPHANED = 255
# How often a process is started while the server that it is forked from is being replaced.
RETRIES = 20


@dataclass(frozen=True)
class Died:
    """A process ended without a word, or was ended for saying none.

    Args:
        reason: One line.
        again: Whether another try may go better: something outside ended it.
    """

    reason: str
    again: bool


@dataclass
class _Hand:
    """One process, its line and when it was last heard of."""

    process: ForkServerProcess
    device: str
    link: connection.Connection[bool, Message]
    heard: float = field(default_factory=time.monotonic)


def serve(job: Job, size: Size) -> None:
    """Start the server that processes are forked from, unless one is running.

    Args:
        job: Its data is loaded there.
        size: What the study's network takes.
    """
    # Stays: a server that replaces this one loads the same.
    os.environ[TOLD] = job.data(size).told()
    with _no_main(), _no_ctrl_c():
        _FORKS.set_forkserver_preload(["archgen.train.warm", "archgen.study.worker"])
        forkserver.ensure_running()


class Crew:
    """Processes in a number of places.

    Args:
        hang: Seconds without a sign of life after which a process is ended.
    """

    def __init__(self, hang: float) -> None:
        self.hang = hang
        self.hands: dict[int, _Hand] = {}

    def start(self, job: Job) -> None:
        """Let a new process train a candidate."""
        self.hands[job.number] = _start(worker.train, job, job.device)

    def answer(self, number: int, reply: bool) -> None:
        """Give the answer that a process waits for; it may be gone."""
        with suppress(OSError):
            self.hands[number].link.send(reply)

    def wait(self, seconds: float) -> None:
        """Wait until a process has something to say or ends, but not for long."""
        hands = self.hands.values()
        connection.wait(
            [*(hand.link for hand in hands), *(hand.process.sentinel for hand in hands)], seconds
        )

    def events(self) -> Iterator[tuple[int, Message | Died]]:
        """What happened since, by candidate. After `Done`, `Failed` or `Died` a process is gone."""
        for number, hand in list(self.hands.items()):
            while (said := _hear(hand)) is not None:
                hand.heard = time.monotonic()
                last = isinstance(said, Done | Failed | Died)
                if last:
                    self._gone(number)
                if not isinstance(said, Alive):
                    yield number, said
                if last:
                    break
            else:
                if time.monotonic() - hand.heard > self.hang:
                    self._gone(number)
                    yield number, Died(f"no sign of life for {self.hang:g} s", again=False)

    def stop(self) -> None:
        """End all processes."""
        for number in list(self.hands):
            self._gone(number)

    def _gone(self, number: int) -> None:
        _end(self.hands.pop(number))


def call(task: worker.Task, job: Any) -> Any:
    """What a task gives, run in a process of its own.

    Raises:
        ArchError: It failed, or its process ended.
    """
    hand = _start(task, job, "")
    try:
        while True:
            connection.wait([hand.link, hand.process.sentinel], 0.5)
            said = _hear(hand)
            if isinstance(said, Done):
                return said.value
            if isinstance(said, Failed | Died):
                raise ArchError("", said.reason)
    finally:
        _end(hand)


def _start(task: worker.Task, job: Any, device: str) -> _Hand:
    here, there = _FORKS.Pipe()
    for left in reversed(range(RETRIES)):
        process = _FORKS.Process(target=worker.work, args=(task, there, job))
        try:
            with _no_main():
                with _no_ctrl_c():
                    forkserver.ensure_running()
                process.start()
            break
        except (EOFError, ConnectionError):  # the server is just being ended: there will be another
            if not left:
                raise ArchError("", "the server that processes are forked from ends") from None
            time.sleep(0.1)
    there.close()
    return _Hand(process, device, here)


def _hear(hand: _Hand) -> Message | Died | None:
    """The next thing that a process said, that it is gone, or None."""
    with suppress(EOFError, OSError):
        if hand.link.poll():
            return hand.link.recv()
    if hand.process.is_alive():
        return None
    with suppress(EOFError, OSError):  # it may have said something before it ended
        if hand.link.poll():
            return hand.link.recv()
    code = hand.process.exitcode or 0
    if code == _ORPHANED:
        return Died("the server that it was forked from ended", again=True)
    if code < 0:
        name = signal.Signals(-code).name
        hint = " (is there too little memory?)" if name == "SIGKILL" else ""
        return Died(f"its process was ended by {name}{hint}", again=True)
    return Died(f"its process ended by itself with status {code}", again=False)


def _end(hand: _Hand) -> None:
    """End a process, if need be by force, and wait for it."""
    hand.process.join(0.05)
    if hand.process.exitcode in (None, _ORPHANED) and hand.process.pid:
        with suppress(ProcessLookupError):
            os.kill(hand.process.pid, signal.SIGKILL)
        hand.process.join()
    hand.link.close()
    hand.process.close()


@contextmanager
def _no_main() -> Iterator[None]:
    """Keep the new process from running the caller's script, which may have no main guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """Start a server that ignores Ctrl-C from its first moment on, as will what it forks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
