"""Searches in a folder: found, read or said to be damaged; a running one holds its lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archgen.errors import ArchError
from archgen.explorer.studies import facts_now, folders
from archgen.report import facts_of
from archgen.study import load_study
from archgen.study.place import ENVIRONMENT
from archgen.study.record import Record
from archgen.study.report import Row, trials
from archgen.study.runs import changed, held, runs, state_of
from archgen.study.storage import JOURNAL, STUDY, owned, settle
from archgen.study.watch import Watch

from .conftest import Write


def begin(folder: Path, study: Path, tops: list[float], root: Path | None = None) -> None:
    """Leave what a search leaves, without training."""
    asked = load_study(study, root=root)
    with owned(folder):
        settle(folder, asked)
        record = Record(asked, folder)
        for number, top1 in enumerate(tops):
            row = Row(
                number, "complete", {"stem.width": 2 + number, "stem.kernel": 1},
                {"params": 9, "macs": 9}, f"d{number}", {"top1": top1},
            )  # fmt: skip
            record.add(row, {}, {}, {})


@contextmanager
def taken_away_and_back(folder: Path) -> Iterator[None]:
    """Rename a folder to and fro all the time."""
    ended = threading.Event()
    hidden = folder.parent.parent / "hidden"

    def rename() -> None:
        while not ended.is_set():
            folder.rename(hidden)
            hidden.rename(folder)

    thread = threading.Thread(target=rename)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_folder_without_searches_has_none(tmp_path: Path) -> None:
    assert runs(tmp_path / "nowhere") == []
    (tmp_path / "other").mkdir()
    assert runs(tmp_path) == []


def test_searches_are_listed_with_their_state_and_best(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    begin(folder / "a", write(), [50.0, 70.0])
    begin(folder / "b", write(trials=2), [50.0, 60.0, 70.0])
    found = {run.folder.name: run for run in runs(folder)}
    assert [(name, found[name].state) for name in "ab"] == [("a", "stopped"), ("b", "complete")]
    assert (found["a"].trained, found["a"].trials) == (2, 4)
    assert [row.number for row in found["a"].best] == [1]
    assert found["a"].changed.tzinfo is not None


def test_a_search_is_complete_when_it_did_what_it_was_asked_for(
    write: Write, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "a"
    begin(folder, write(), [50.0, 70.0])
    for said, count, state in (
        ([], 4, "stopped"),
        ([{}], 4, "stopped"),
        ([{"trials": 2}], 2, "complete"),
        ([{"trials": 2}, {"trials": 3}], 3, "stopped"),
        ([{"trials": "many"}], 4, "stopped"),
    ):
        (folder / ENVIRONMENT).write_text(json.dumps({"runs": said}))
        (run,) = runs(folder.parent)
        facts = facts_of(folder)
        assert (run.trials, run.state) == (facts.trials, facts.state) == (count, state)
        now = facts_now(Watch(folder))
        assert (now.trials, now.state) == (count, state)


def test_a_running_one_is_told_by_its_lock(write: Write, tmp_path: Path) -> None:
    begin(tmp_path / "a", write(), [50.0])
    assert not held(tmp_path / "a")
    with owned(tmp_path / "a"):
        assert held(tmp_path / "a")
        assert state_of(tmp_path / "a", 99, 4) == "running"
    assert state_of(tmp_path / "a", 99, 4) == "complete"
    assert not held(tmp_path)


def test_a_damaged_one_is_listed_and_the_others_too(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for name in "abc":
        begin(folder / name, write(), [50.0])
    (folder / "a" / STUDY).write_text("- nothing\n")
    (folder / "b" / JOURNAL).write_text("{}\n")
    states = {run.name: run.state for run in runs(folder)}
    assert states == {"a": "damaged", "b": "damaged", "tiny": "stopped"}
    assert all("\n" not in run.problem for run in runs(folder))


def test_one_that_is_taken_away_meanwhile_is_no_error(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    begin(folder / "a", write(), [50.0])
    with taken_away_and_back(folder / "a"):
        for _ in range(300):
            assert len(runs(folder)) < 2
            folders(folder)
    with pytest.raises(ArchError, match="cannot be read: no such file"):
        changed(tmp_path / "gone")


def test_a_search_is_read_where_its_data_is_not(write: Write, tmp_path: Path) -> None:
    """Listed, reported and gone on with, though the data lies elsewhere now."""
    pictures = tmp_path / "data" / "pictures"
    for name in "0123456789":
        (pictures / "data" / name).mkdir(parents=True)
    folder, train = tmp_path / "runs", {"data": "imagefolder:data", "epochs": 1}
    study = write(train=train)
    begin(folder / "a", study, [50.0], root=pictures)
    (found,) = runs(folder)
    assert (found.state, found.problem) == ("stopped", "")
    assert facts_of(folder / "a").nets.keys() == {0}
    moved = pictures.rename(tmp_path / "moved")
    with owned(folder / "a"):
        settle(folder / "a", load_study(study, root=moved))


def test_a_row_is_read_as_it_was_written(write: Write, tmp_path: Path) -> None:
    """A figure of zero is one."""
    run = tmp_path / "run"
    begin(run, write(), [])
    row = Row(0, "pruned", digest="d", top1=0.0, loss=0.0, epochs=1, curve=(0.0,))
    with owned(run):
        Record(load_study(run / STUDY), run).add(row, {}, {}, {})
    assert trials(run) == [row]
