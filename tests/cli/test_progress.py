from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from archgen.cli import progress
from archgen.study import Row, Status, Study, load_study
from archgen.study.space import Range


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("pyramid")


def row(number: int, state: Any = "complete", **more: Any) -> Row:
    vary = {
        "stages.width": {"kind": "additive", "start": 16, "alpha": 48},
        "stages.width.alpha": 40 + number,
        "stages.depth": [1, 2, 2],
        "stages.shortcut.widen": "zeros",
    }
    costs = {"params": 123_456, "macs": 2_650_000}
    scores = {"top1": 97.75} if state == "complete" else {}
    return Row(number, state, vary=vary, costs=costs, scores=scores, top1=97.75, epochs=4, **more)


def status(now: Row | None, **more: Any) -> Status:
    given = {
        "epochs": 8, "trained": 3, "trials": 40, "best": (row(2),), "seconds": 61.0, "eta": 200.0,
        "counts": {"complete": 2, "pruned": 1, "infeasible": 5}, "notes": ("a note",),
        "running": (), "said": "",
    }  # fmt: skip
    return Status(row=now, **{**given, **more})


def test_cells_name_what_varies_as_short_as_possible(study: Study) -> None:
    assert progress.candidate_headings(study) == [
        ">candidate", ">top1", ">params", ">macs", "values",
    ]  # fmt: skip
    assert progress.candidate_cells(study, [row(2)]) == [
        ("2", "97.75%", "123k", "2.65M", "width=additive alpha=42 depth=[1,2,2] widen=zeros")
    ]


def test_paths_with_one_ending_keep_what_sets_them_apart(study: Study) -> None:
    twin = study.model_copy(
        update={"vary": dict.fromkeys(["a.width", "b.width"], Range(from_=0.5, to=4))}
    )
    one = Row(0, "complete", vary={"a.width": 4, "b.width": 0.5}, scores={"top1": 1.0})
    assert progress.candidate_cells(twin, [one])[0][-1] == "a.width=4 b.width=0.5"


def test_headline(study: Study) -> None:
    assert progress.headline(study, status(row(3))) == (
        "pyramid: 3 of 40 trained, best 97.75% (candidate 2), 1 min 1 s, "
        "about 3 min 20 s left (1 pruned, 5 infeasible)"
    )
    early = status(None, best=(), eta=None, counts={}, trained=0, seconds=0.2)
    assert progress.headline(study, early) == "pyramid: 0 of 40 trained, 0 s"


def test_lines_for_a_log(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(study, json=False) as show:
        show(status(None))
        show(status(row(3, "running")))
        show(status(row(3, "infeasible")))
        show(status(row(3)))
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "a note"
    assert second == (
        "candidate 3 complete: top1=97.75% params=123k macs=2.65M "
        "width=additive alpha=43 depth=[1,2,2] widen=zeros"
    )
    assert third.startswith("  pyramid: 3 of 40 trained")


def test_beside_json_the_lines_go_elsewhere(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress(study, json=True) as show:
        show(status(row(3)))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "candidate 3" in shown.err


def test_live_table_shows_the_latest(study: Study) -> None:
    recent = progress._Recent(study)
    for number in range(20):
        recent.draw(status(row(number)))
    recent.draw(status(row(20, "infeasible")))
    console = Console(width=100, record=True, file=StringIO())
    console.print(recent.draw(status(row(21, "running"))))
    lines = console.export_text().splitlines()
    assert lines[0] == "a note"
    assert lines[1].split() == [
        "candidate", "epoch", "state", "top1", "params", "macs", "values",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[3:11]] == [*map(str, range(13, 20)), "21"]
    assert lines[10].split()[1:4] == ["4/8", "running", "97.75%"]
    assert lines[11].startswith("pyramid: 3 of 40 trained")
