"""The folder: one owner, one study, a journal that survives a torn line. No torch."""

from __future__ import annotations

import fcntl
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archgen.errors import ArchError
from archgen.study import load_study, runs_folder, storage, trials

from .conftest import Write


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    with (
        storage.owned(tmp_path / "run"),
        pytest.raises(ArchError, match="another search is running on this study"),
        storage.owned(tmp_path / "run"),
    ):
        pass
    with storage.owned(tmp_path / "run"):
        pass


def test_who_asks_whether_a_search_runs_does_not_refuse_its_start(tmp_path: Path) -> None:
    with storage.owned(tmp_path):
        pass
    with (tmp_path / storage.LOCK).open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        given_back = threading.Timer(0.2, fcntl.flock, (reader, fcntl.LOCK_UN))
        given_back.start()
        with storage.owned(tmp_path):
            pass
        given_back.join()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from archgen.study import storage\n"
        "with storage.owned(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(ArchError, match=f"process {owner.pid}"), storage.owned(tmp_path):
            pass
        owner.kill()
    with storage.owned(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ArchError, match="cannot write: not a directory"),
        storage.owned(tmp_path / "file" / "run"),
    ):
        pass


def test_a_folder_keeps_its_study(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    storage.settle(run, load_study(write()))
    storage.settle(run, load_study(write()))
    assert load_study(run / "study.yaml").net.dump() == load_study(write()).net.dump()


def test_more_trials_are_no_change(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    storage.settle(run, load_study(write()))
    storage.settle(run, load_study(write(trials=9)))
    assert load_study(run / "study.yaml").trials == 9


def test_what_changed_is_said(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    storage.settle(run, load_study(write()))
    changed = load_study(write(train={"epochs": 3, "batch": 256, "lr": 0.1}))
    with pytest.raises(ArchError, match=r"study\.yaml: train\.epochs: was 2 .* and is 3 now"):
        storage.settle(run, changed)
    study = write()
    spec = tmp_path / "small.yaml"
    spec.write_text(spec.read_text().replace("stride: 2", "stride: 1"))
    with pytest.raises(ArchError, match=r"spec\.yaml: nodes\.stem\.stride: was 2 .* and is 1 now"):
        storage.settle(run, load_study(study))


def test_a_folder_of_something_else_is_left_alone(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.txt").write_text("all of it")
    with pytest.raises(ArchError, match=r"is not empty and holds no study\.yaml"):
        storage.settle(run, load_study(write()))
    assert [entry.name for entry in run.iterdir()] == ["thesis.txt"]


def test_a_disk_that_fills_up_between_two_writes_can_be_emptied(
    write: Write, tmp_path: Path
) -> None:
    run, study = tmp_path / "run", load_study(write())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with storage.owned(run):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(study.net.dump()), limit[1]))
        try:
            with pytest.raises(ArchError, match=r"study\.yaml: cannot write"):
                storage.settle(run, study)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert {entry.name for entry in run.iterdir()} == {"lock", "spec.yaml"}
        storage.settle(run, study)
    assert load_study(run / "study.yaml").net.digest() == study.net.digest()


def test_a_spec_of_something_else_is_left_alone(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "spec.yaml").write_text("name: mine\n")
    with pytest.raises(ArchError, match=r"is not empty and holds no study\.yaml"):
        storage.settle(run, load_study(write()))
    assert (run / "spec.yaml").read_text() == "name: mine\n"


def test_without_unix_locks_it_is_one_line(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.modules['fcntl'] = None\n"
        "from archgen.errors import ArchError; from archgen.study import storage\n"
        "try:\n    storage.owned(pathlib.Path(sys.argv[1])).__enter__()\n"
        "except ArchError as error: print(error)"
    )
    run = tmp_path / "run"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("searching needs a Unix system")
    assert not run.exists()


@pytest.mark.parametrize("torn", [b'{"op_code": 4, "st', b"\0\0\0\0", b"\0\0\n", b"x"])
def test_a_torn_last_line_is_cut_and_kept(tmp_path: Path, torn: bytes) -> None:
    journal = tmp_path / storage.JOURNAL
    journal.write_bytes(b'{"a": 1}\n{"b": 2}\n' + torn)
    said = storage.repair(tmp_path)
    assert said is not None
    assert "torn" in said
    assert journal.read_bytes() == b'{"a": 1}\n{"b": 2}\n'
    kept = tmp_path / f"{storage.JOURNAL}.torn"
    assert kept.read_bytes() == torn.rstrip(b"\n") + b"\n"
    assert storage.repair(tmp_path) is None


def test_a_journal_of_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    journal = tmp_path / storage.JOURNAL
    journal.write_bytes(b'{"op')
    assert storage.repair(tmp_path) is not None
    assert journal.read_bytes() == b""
    assert storage.repair(tmp_path) is None
    assert trials(tmp_path) == []


def test_a_lock_left_by_a_killed_writer_is_removed(tmp_path: Path) -> None:
    journal = tmp_path / storage.JOURNAL
    journal.write_bytes(b"")
    (tmp_path / f"{storage.JOURNAL}.lock").symlink_to(journal)
    storage.repair(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [storage.JOURNAL]


def test_a_damaged_journal_is_one_line(tmp_path: Path) -> None:
    (tmp_path / storage.JOURNAL).write_bytes(b'{"op_code": 0\nnonsense\n{}\n')
    with pytest.raises(ArchError, match=r"journal\.log: damaged: "):
        trials(tmp_path)


def test_where_nothing_was_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchError, match=r"nothing was searched here"):
        trials(tmp_path)
    with pytest.raises(ArchError, match=r"no searched study 'tiny' \(there are: none\)"):
        runs_folder("tiny")
    run = storage.RUNS / "tiny"
    run.mkdir(parents=True)
    (run / storage.JOURNAL).touch()
    assert runs_folder("tiny") == run
    assert runs_folder(tmp_path / run) == tmp_path / run
    with pytest.raises(ArchError, match="did you mean 'tiny'"):
        runs_folder("tinny")
