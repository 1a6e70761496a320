"""Real searches in processes of their own, and what may happen to them at night.

After each fault the same command is given again: no finished candidate is lost, none is trained
twice, one that was interrupted goes on from its checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from digits_search import SPEC, STUDY

pytest.importorskip("torch")

import archgen
from archgen import yamlfile
from archgen.study import Row, trials
from archgen.study.storage import JOURNAL

pytestmark = pytest.mark.torch

TROUBLE = SPEC.replace("  head:", "  mid:  {block: trouble, width: 4}\n  head:")
WIDTHS = [4, 5, 6, 7]
EPOCHS = 5
Change = Mapping[str, Any]


class Night:
    """A study in a folder, and the command that searches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "studies" / "runs" / "tiny"
        self.started: list[subprocess.Popen[str]] = []

    def write(self, **keys: Any) -> None:
        (self.folder / "small.yaml").write_text(TROUBLE)
        study = yamlfile.parse(STUDY).value
        study |= {
            "vary": {"mid.width": {"any": WIDTHS}},
            "keep": {},
            "train": {"data": "digits", "epochs": EPOCHS, "batch": 256, "lr": 0.05},
            "trials": len(WIDTHS),
            "pruner": {"kind": "none"},
        }
        (self.folder / "tiny.yaml").write_text(yamlfile.dump(study | keys))

    def start(self, faults: Change | None = None, *, workers: int = 2) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", "archgen", "search", "--space", "tiny.yaml"]
        options = [
            "--blocks",
            str(Path(__file__).parent / "faults.py"),
            "--workers",
            str(workers),
            "--hang",
            "8",
        ]
        root = str(Path(archgen.__file__).parents[1])
        process = subprocess.Popen(
            [*command, *options, "--device", "cpu"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root, "FAULTS": json.dumps(faults or {})},
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def search(self, faults: Change | None = None, *, workers: int = 2) -> tuple[int, str, str]:
        return self.finish(self.start(faults, workers=workers))

    def rows(self) -> list[Row]:
        return trials(self.run)

    def folder_of(self, row: Row) -> Path:
        return self.run / "trials" / f"{row.number:04d}"

    def wait(self, process: subprocess.Popen[str], wanted: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert process.poll() is None, process.communicate()
            if (self.run / JOURNAL).exists() and wanted():
                return
            time.sleep(0.02)
        process.kill()
        raise AssertionError("it never came so far")

    def half_way(self) -> bool:
        """Whether one is trained, and another has a checkpoint behind it and epochs before it."""
        rows = self.rows()
        return any(row.trained for row in rows) and any(
            (self.folder_of(row) / "state.pt").exists() and self.epochs(row) in (1, 2)
            for row in rows
            if row.state == "running"
        )

    def epochs(self, row: Row) -> int:
        """How many epochs of a candidate are over."""
        curve = self.folder_of(row) / "curve.jsonl"
        return len(curve.read_text().splitlines()) if curve.exists() else 0

    def check(self) -> list[Row]:
        """What holds behind every completed search."""
        rows = self.rows()
        digests = [row.digest for row in rows if row.trained]
        assert len(digests) == len(set(digests)), "a network was trained twice"
        assert "running" not in {row.state for row in rows}
        for row in rows:
            if row.state == "complete":
                lines = (self.folder_of(row) / "curve.jsonl").read_text().splitlines()
                assert [json.loads(line)["epoch"] for line in lines] == list(range(1, EPOCHS + 1))
            assert not (self.folder_of(row) / "state.pt").exists()
        return rows

    def close(self) -> None:
        """Leave nothing running behind a test that failed."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def curves(rows: list[Row]) -> dict[int, tuple[float, ...]]:
    return {row.vary["mid.width"]: row.curve for row in rows if row.state == "complete"}


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    found = Night(tmp_path)
    found.write()
    yield found
    found.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[float, ...]]:
    """The learning curve of each width where nothing happens."""
    night = Night(tmp_path_factory.mktemp("quiet"))
    night.write()
    status, out, err = night.search()
    assert (status, err) == (0, ""), out
    found = curves(night.check())
    assert sorted(found) == WIDTHS
    return found


def descendants(pid: int) -> set[int]:
    """The processes that a process started, and theirs."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    found = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
        except OSError:
            continue
    return found


def test_a_killed_candidate_goes_on_from_its_checkpoint(
    night: Night, quiet: dict[int, tuple[float, ...]]
) -> None:
    status, out, err = night.search({"5": "kill once"})
    assert (status, err) == (0, "")
    assert "its process was ended by SIGKILL" in out
    assert "; it goes on" in out
    rows = night.check()
    assert curves(rows) == quiet
    (row,) = [row for row in rows if row.vary == {"mid.width": 5} and row.trained]
    assert "going on behind epoch " in (night.folder_of(row) / "log.txt").read_text()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("kill", r"its process was ended by SIGKILL"),
        ("exit", r"its process ended by itself with status 3"),
        ("raise", r"RuntimeError: out of luck"),
        ("hang", r"no sign of life for 8 s"),
    ],
)
def test_what_goes_wrong_is_one_failed_candidate(
    night: Night, quiet: dict[int, tuple[float, ...]], fault: str, reason: str
) -> None:
    status, out, err = night.search({"6": fault})
    assert err == ""
    # Three are trained; the fourth never can be.
    assert status == 0
    assert "space exhausted" in out
    rows = night.rows()
    failed = [row for row in rows if row.state == "failed"]
    assert {row.vary["mid.width"] for row in failed} == {6}
    assert reason in failed[0].reason
    assert "log.txt" in failed[0].reason
    if fault == "raise":
        log = (night.folder_of(failed[0]) / "log.txt").read_text()
        assert "Traceback" in log
        assert "with details" in log
    assert curves(rows) == {width: quiet[width] for width in (4, 5, 7)}


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ("nan", "diverged", "training loss was no finite number in epoch 3"),
        ("memory", "memory", "alloc"),
    ],
)
def test_what_tells_about_the_network_is_a_result(
    night: Night, fault: str, state: str, reason: str
) -> None:
    status, out, err = night.search({"7": fault})
    assert (status, err) == (0, "")
    assert "4 candidates trained" in out
    (row,) = [row for row in night.check() if row.trained and row.state != "complete"]
    assert (row.state, row.vary) == (state, {"mid.width": 7})
    assert reason in row.reason


def test_a_search_in_which_everything_fails_stops(night: Night) -> None:
    night.write(vary={"mid.width": {"from": 4, "to": 40}})
    status, out, err = night.search({str(width): "raise" for width in range(4, 41)})
    assert (status, err) == (1, "")
    assert "stopped: 5 candidates in a row failed, the last one: RuntimeError: out of luck" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(
    night: Night, quiet: dict[int, tuple[float, ...]], number: signal.Signals
) -> None:
    process = night.start()
    night.wait(process, night.half_way)
    started = descendants(process.pid)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    status, out, err = night.finish(process)
    assert (status, err) == (130, "")
    assert "interrupted in the training of " in out
    assert not alive(started)
    go_on(night, quiet)


@pytest.mark.parametrize("victims", ["search", "all"])
def test_kill_9_leaves_no_orphan(
    night: Night, quiet: dict[int, tuple[float, ...]], victims: str
) -> None:
    process = night.start()
    night.wait(process, night.half_way)
    started = descendants(process.pid)
    assert len(started) >= 3, "a server and two that train"
    process.kill()
    if victims == "all":
        for pid in started:
            os.kill(pid, signal.SIGKILL)
    process.communicate()
    end = time.monotonic() + 5
    while alive(started) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(started)
    go_on(night, quiet)


def test_a_killed_server_is_replaced(night: Night, quiet: dict[int, tuple[float, ...]]) -> None:
    process = night.start()
    night.wait(process, night.half_way)
    servers = [pid for pid in descendants(process.pid) if "forkserver" in command_of(pid)]
    parents = [pid for pid in servers if descendants(pid)]
    os.kill(parents[0], signal.SIGKILL)
    status, out, err = night.finish(process)
    assert (status, err) == (0, "")
    assert "the server that it was forked from ended; it goes on" in out
    assert curves(night.check()) == quiet


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def go_on(night: Night, quiet: dict[int, tuple[float, ...]]) -> None:
    """Give the command again: all is as if nothing had happened."""
    before = night.rows()
    finished = [row for row in before if row.trained]
    started = [row for row in before if row.state == "running"]
    saved = [row for row in started if (night.folder_of(row) / "state.pt").exists()]
    assert saved
    inodes = {row.number: (night.folder_of(row) / "log.txt").stat().st_ino for row in saved}
    status, out, err = night.search()
    assert (status, err) == (0, "")
    numbers = ", ".join(str(row.number) for row in started)
    assert f"training of {numbers} was interrupted and goes on from its checkpoint" in out
    rows = night.check()
    assert [rows[row.number] for row in finished] == [
        replace_test(row, rows[row.number]) for row in finished
    ]
    assert all(rows[row.number].trained for row in started)
    assert curves(rows) == quiet
    assert inodes == {n: (night.folder_of(rows[n]) / "log.txt").stat().st_ino for n in inodes}


def replace_test(row: Row, now: Row) -> Row:
    """The row, with the test accuracy that only the end of a search gives."""
    from dataclasses import replace

    return replace(row, test=now.test)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Night]:
    """A study on a file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a tmpfs needs root and CAP_SYS_ADMIN")
    found = Night(place)
    found.write()
    try:
        yield found
    finally:
        found.close()
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_one_line_and_loses_nothing(
    small_disk: Night, quiet: dict[int, tuple[float, ...]]
) -> None:
    night = small_disk
    process = night.start()
    night.wait(process, night.half_way)
    ballast = night.folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"0" * 4096)
        except OSError:
            pass
    status, _, err = night.finish(process)
    assert status == 1
    assert len(err.splitlines()) == 1
    assert "no space left on device" in err
    before = [row for row in night.rows() if row.trained]
    ballast.unlink()
    status, _, err = night.search()
    assert (status, err) == (0, "")
    rows = night.check()
    assert {row.number for row in before} <= {row.number for row in rows if row.trained}
    assert curves(rows) == quiet


def test_a_read_only_storage_is_one_line(
    small_disk: Night, quiet: dict[int, tuple[float, ...]]
) -> None:
    night = small_disk
    process = night.start()
    night.wait(process, night.half_way)
    process.send_signal(signal.SIGTERM)
    night.finish(process)
    subprocess.run(["mount", "-o", "remount,ro", str(night.folder)], check=True)
    status, _, err = night.search()
    assert status == 1
    assert len(err.splitlines()) == 1
    assert "read-only file system" in err
    subprocess.run(["mount", "-o", "remount,rw", str(night.folder)], check=True)
    go_on(night, quiet)


def test_two_searches_of_one_study(night: Night, quiet: dict[int, tuple[float, ...]]) -> None:
    first = night.start()
    night.wait(first, lambda: bool(night.rows()))
    status, out, err = night.search()
    assert (status, out) == (1, "")
    assert f"another search is running on this study (process {first.pid})" in err
    assert night.finish(first)[0] == 0
    assert curves(night.check()) == quiet
