"""What a process that trains leaves behind when it is at its end."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

import pytest

from archgen.errors import ArchError
from archgen.study.crew import call
from archgen.study.worker import _log_to

FULL = Path("/dev/full")


def fill_up(_: object, log: Path) -> None:
    _log_to(log)
    raise OSError(errno.ENOSPC, "No space left on device")


def be_killed(_: object, log: Path) -> None:
    _log_to(log)
    sys.stdout.write("so far\n")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_though_the_log_is_on_it() -> None:
    with pytest.raises(ArchError, match=r"^cannot go on: no space left on device$"):
        call(fill_up, FULL)


def test_what_was_printed_is_there_after_a_kill(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="SIGKILL"):
        call(be_killed, tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_text() == "so far\n"
