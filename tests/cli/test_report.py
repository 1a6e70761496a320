"""``report``: files written, refusals in one line, no PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from archgen.study import load_study
from archgen.study.record import Record
from archgen.study.report import Row
from archgen.study.storage import owned, settle

STUDY = """\
name: tiny
spec: small.yaml
vary:
  stem.width: {from: 2, to: 9}
score: {top1: maximize}
trials: 2
"""


@pytest.fixture
def searched(small: Path, here: Path) -> Path:
    """Leave what a search leaves, without training."""
    pytest.importorskip("plotly")
    (here / "tiny.yaml").write_text(STUDY)
    study = load_study(here / "tiny.yaml")
    folder = here / "studies" / "runs" / "tiny"
    with owned(folder):
        settle(folder, study)
        record = Record(study, folder)
        for number, top1 in enumerate([50.0, 60.0]):
            costs = {"params": 1000, "macs": 9000, "depth": 3}
            row = Row(
                number, "complete", {"stem.width": 2 + number}, costs, f"d{number}",
                {"top1": top1}, top1=top1, curve=(top1,), epochs=1,
            )  # fmt: skip
            record.add(row, {}, {}, {})
    return folder


def test_it_writes_a_page_and_a_summary(run, searched: Path) -> None:
    result = run("report", "tiny")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "wrote studies/runs/tiny/report.html",
        "wrote studies/runs/tiny/report.md",
    ]
    text = (searched / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    assert "The best is candidate 1 with top1 60.00%" in text
    assert (searched / "report.md").read_text().startswith("# tiny\n")
    again = text
    assert run("report", searched).exit_code == 0
    assert (searched / "report.html").read_text() == again


def test_it_goes_where_it_is_told(run, searched: Path, here: Path) -> None:
    result = run("report", "tiny", "--out", "of.html", "--json")
    assert json.loads(result.stdout)["files"] == ["of.html", "of.md"]
    assert (here / "of.html").exists()
    assert not (searched / "report.html").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere"], "no searched study 'nowhere'"),
        (["tiny", "--out", "a.pdf"], "give a file that ends in .html"),
        (["tiny", "--out", "no/such/a.html"], "there is no folder"),
    ],
)
def test_mistakes_are_one_line(run, searched: Path, args: list[str], said: str) -> None:
    result = run("report", *args)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert said in line


def test_neither_report_nor_studies_imports_torch(searched: Path, here: Path) -> None:
    code = (
        "import sys; from archgen.cli.commands import app; "
        "app(sys.argv[1:], standalone_mode=False); print('torch' in sys.modules)"
    )
    for args in (["report", "tiny"], ["studies"]):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *args],
            cwd=here, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1:] == ["False"], done.stderr


def test_studies_lists_it(run, searched: Path) -> None:
    result = run("studies")
    assert result.exit_code == 0
    *_, line = result.stdout.splitlines()
    assert " ".join(line.split()).startswith("tiny complete 2 of 2 top1 60.00% (candidate 1)")
    (document,) = json.loads(run("studies", searched.parent, "--json").stdout)
    assert document["best"] == [{"number": 1, "scores": {"top1": 60.0}}]
    assert (document["state"], document["trained"], document["problem"]) == ("complete", 2, "")


def test_without_searches_studies_says_how_to_begin(run) -> None:
    result = run("studies")
    assert (result.exit_code, result.stdout) == (0, "")
    said = "nothing was searched in studies/runs yet; archgen search --space pyramid begins\n"
    assert result.stderr == said
    assert json.loads(run("studies", "--json").stdout) == []
    assert "there is no such folder" in run("studies", "nowhere").stderr


def test_a_damaged_one_does_not_hide_the_others(run, searched: Path) -> None:
    other = searched.parent / "other"
    other.mkdir()
    (other / "journal.log").write_text("")
    result = run("studies")
    assert result.exit_code == 0
    assert "damaged" in result.stdout
    assert "tiny" in result.stdout
