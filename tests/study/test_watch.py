"""A folder that is read again and again: the same rows as at once, and only what is new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from journals import drawn, write, write_journal

from archgen.errors import ArchError
from archgen.study import Row, Study, storage, trials
from archgen.study.record import Record
from archgen.study.watch import Watch


@pytest.fixture
def searched(tmp_path: Path) -> tuple[Path, Study]:
    """Give the folder of a study with thirty candidates."""
    return tmp_path / "run", write_journal(tmp_path / "run", 30)


def more(study: Study, first: int) -> Iterator[Row]:
    """Draw further candidates."""
    for number, row in enumerate(drawn(study, Random(7)), first):
        yield replace(row, number=number)


def test_each_read_gives_what_a_fresh_one_gives(searched: tuple[Path, Study]) -> None:
    folder, study = searched
    watch, record = Watch(folder), Record(study, folder)
    before = watch.rows()
    assert list(before) == trials(folder)
    for row in islice(more(study, 30), 10):
        write(study, record, row)
        assert list(watch.rows()) == trials(folder)
    after = watch.rows()
    assert len(after) == 40
    assert all(old is new for old, new in zip(before, after, strict=False))


def test_a_training_that_ends_and_a_test_accuracy_are_news(searched: tuple[Path, Study]) -> None:
    folder, study = searched
    watch, record = Watch(folder), Record(study, folder)
    row = next(row for row in more(study, 30) if row.state == "complete")
    row = replace(row, number=30)
    write(study, record, row, ends=False)
    assert watch.rows()[30].state == "running"
    record.end(row)
    assert watch.rows()[30] == row
    record.tested(30, 91.5)
    assert watch.rows()[30] == replace(row, test=91.5)


def test_the_stamp_tells_whether_there_is_news(searched: tuple[Path, Study]) -> None:
    folder, study = searched
    watch = Watch(folder)
    stamp = watch.stamp()
    watch.rows()
    assert watch.stamp() == stamp
    write(study, Record(study, folder), next(more(study, 30)))
    assert watch.stamp() != stamp


def test_nothing_is_written_or_locked(searched: tuple[Path, Study]) -> None:
    """A search may begin while its folder is watched."""
    folder, _ = searched
    before = {path.name: path.stat() for path in folder.iterdir()}
    watch = Watch(folder)
    watch.stamp()
    watch.study()
    watch.rows()
    after = {path.name: path.stat() for path in folder.iterdir()}
    assert before.keys() == after.keys()
    assert all(before[name].st_mtime_ns == after[name].st_mtime_ns for name in before)
    with storage.owned(folder):
        assert watch.rows()


def test_a_folder_that_is_searched_anew_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_journal(folder, 12)
    watch = Watch(folder)
    watch.rows()
    (folder / "journal.log").unlink()
    write_journal(folder, 20, seed=5)
    assert list(watch.rows()) == trials(folder)


def test_a_line_that_is_being_written_waits(searched: tuple[Path, Study]) -> None:
    folder, study = searched
    watch, record = Watch(folder), Record(study, folder)
    write(study, record, next(more(study, 30)))
    journal = folder / "journal.log"
    whole = journal.read_bytes()
    half = whole.rindex(b"\n", 0, -1) + 40
    journal.write_bytes(whole[:half])
    seen = len(watch.rows())
    journal.write_bytes(whole)
    assert list(watch.rows()) == trials(folder)
    assert seen <= 31


def test_a_damaged_line_is_said_each_time_and_read_when_it_is_mended(
    searched: tuple[Path, Study],
) -> None:
    folder, study = searched
    watch = Watch(folder)
    watch.rows()
    journal = folder / "journal.log"
    whole = journal.read_bytes()
    write(study, Record(study, folder), next(more(study, 30)))
    grown = journal.read_bytes()
    journal.write_bytes(whole + b"garbage\n" + grown[len(whole) :])
    for _ in range(2):
        with pytest.raises(ArchError, match=r"journal\.log: damaged: "):
            watch.rows()
    journal.write_bytes(grown)
    assert list(watch.rows()) == trials(folder)


def test_a_journal_that_is_gone_is_one_line(searched: tuple[Path, Study]) -> None:
    folder, _ = searched
    watch = Watch(folder)
    watch.rows()
    (folder / "journal.log").unlink()
    with pytest.raises(ArchError, match="cannot be read: no such file"):
        watch.rows()
    assert not (folder / "journal.log").exists()


def test_a_search_that_wrote_nothing_has_no_rows(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_journal(folder, 0)
    (folder / "journal.log").write_bytes(b"")
    assert Watch(folder).rows() == ()


def test_a_study_that_was_prolonged_is_read_anew(searched: tuple[Path, Study]) -> None:
    folder, _ = searched
    watch = Watch(folder)
    assert watch.study() is watch.study()
    file = folder / "study.yaml"
    file.write_text(file.read_text().replace("trials: 10000", "trials: 12345"))
    assert watch.study().trials == 12345
