"""Searches started from the explorer are real processes in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from digits_search import LIMIT, SPEC
from digits_search import STUDY as SMALL

from archgen import ArchError, yamlfile
from archgen.explorer import launch
from archgen.explorer.launch import StudyText, checked
from archgen.study import load_study, trials
from archgen.study.place import check_device
from archgen.study.runs import owner, runs
from archgen.study.status import GOES_ON
from archgen.study.storage import LOCK, RUNS, STUDY, owned

STUDY_TEXT = SMALL.replace(LIMIT, "").replace("trials: 4", "trials: 2")
TINY = StudyText(STUDY_TEXT, SPEC)
LONG = {"trials": 8, "train.epochs": 5000, "pruner.kind": "none"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in an empty folder; what was started there is stopped."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for search in launch.running():
        launch.stop(search)
    wait_for(lambda: not launch.running())


def wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_shipped_study_or_an_earlier_search_is_read_and_no_other_file(
    here: Path,
) -> None:
    assert checked(launch.written("pyramid"), {}).data() == load_study("pyramid").data()
    for origin in ("../secret", "studies/runs/../../secret", str(here), ""):
        with pytest.raises(ArchError, match="no study"):
            launch.written(origin)


def test_changes_are_checked_as_a_study_is(here: Path) -> None:
    study = checked(
        launch.written("pyramid"), {"trials": 5, "train.epochs": 3, "keep.macs.max": None}
    )
    assert (study.trials, study.train.epochs, [*study.keep]) == (5, 3, ["params"])
    for change, said in [
        ({"trials": 0}, r"^trials: give at least 1, not 0"),
        ({"name": "../../x"}, r"^name: give small letters, digits and _, .*, not"),
        ({"vary": {"stages.wdth": {"from": 1, "to": 2}}}, r"vary.stages.wdth"),
        ({"keep.params.min": 1e9}, "min 1000000000.0 must not be above max"),
    ]:
        with pytest.raises(ArchError, match=said):
            checked(launch.written("pyramid"), change)


def test_a_study_of_ones_own_brings_its_spec_or_names_a_shipped_one() -> None:
    assert checked(TINY, {}).net.name == "small"
    with pytest.raises(ArchError, match=r"study.yaml:2: spec: 'small.yaml' is none of the"):
        checked(StudyText(STUDY_TEXT), {})
    with pytest.raises(ArchError, match=r"spec.yaml:4: .*no field"):
        checked(StudyText(STUDY_TEXT, SPEC.replace("width: 4", "wdth: 4")), {})
    with pytest.raises(ArchError, match=r"mine\.yaml:4: vary\.stem\.wdth"):
        checked(StudyText(STUDY_TEXT.replace("width", "wdth"), SPEC, "mine.yaml"), {})
    wrong = SPEC.replace("width: 4", "wdth: 4")
    with pytest.raises(ArchError, match=r"net\.yaml:4: .*no field"):
        checked(StudyText(STUDY_TEXT, wrong, spec_file="net.yaml"), {})
    with pytest.raises(ArchError, match=r"net\.yaml: this is the spec of a network, not a study"):
        checked(StudyText(SPEC, file="net.yaml"), {})
    with pytest.raises(ArchError, match=r"own\.yaml: is no text in UTF-8"):
        launch.uploaded(b"\xff\xfe", "own.yaml")


def test_limits_are_asked_for_even_where_there_are_none() -> None:
    bounds = {each.path: each.value for each in launch.limits(checked(TINY, {}))}
    assert bounds == dict.fromkeys(
        [f"keep.{cost}.{end}" for cost in ("params", "macs") for end in ("max", "min")]
    )
    held = checked(launch.written("pyramid"), {"keep.params.min": 1000})
    assert [each.value for each in launch.limits(held)] == [200e3, 1000, 3e6, None]


@pytest.mark.torch
def test_a_search_runs_to_its_end_and_goes_on_with_more(here: Path) -> None:
    launch.start(checked(TINY, {}), workers=1, device="cpu")
    folder = RUNS / "tiny"
    wait_for(lambda: launch.said(folder).startswith("archgen best tiny shows more"))
    assert [run.state for run in runs()] == ["complete"]
    again = checked(launch.written(str(folder)), {"trials": 3})
    launch.start(again, workers=1, device="cpu")
    wait_for(lambda: not launch.running())
    assert sum(row.trained for row in trials(folder)) == 3
    assert {path.relative_to(here).parts[:3] for path in here.rglob("*")} <= {
        ("studies",), ("studies", "runs"), ("studies", "runs", "tiny"),
    }  # fmt: skip


@pytest.mark.torch
def test_a_search_outlives_who_started_it_and_stops_alone(here: Path) -> None:
    starter = (
        "from archgen.explorer.launch import *\n"
        f"start(checked(StudyText({STUDY_TEXT!r}, {SPEC!r}), {LONG!r}), workers=1, device='cpu')"
    )
    subprocess.run([sys.executable, "-c", starter], check=True)
    launch.start(checked(TINY, {**LONG, "name": "other"}), workers=1, device="cpu")
    other, tiny = launch.running()
    assert (other.folder, tiny.folder) == (RUNS / "other", RUNS / "tiny")
    assert os.getsid(tiny.process) == tiny.process != os.getsid(0)
    wait_for(
        lambda: bool(runs()) and tiny.folder.joinpath("trials", "0000", "curve.jsonl").exists()
    )
    assert launch.stop(tiny)
    wait_for(lambda: owner(tiny.folder) is None)
    assert launch.said(tiny.folder).startswith("interrupted in the training of 0")
    assert [search.folder for search in launch.running()] == [other.folder]
    assert not launch.stop(tiny), "it has ended"


def test_who_asks_second_is_told_so(here: Path) -> None:
    study = checked(TINY, {})
    with owned(RUNS / "tiny"):
        with pytest.raises(ArchError, match=f"another search is running.*{os.getpid()}"):
            launch.start(study)
        assert owner(RUNS / "tiny") == os.getpid()
        (RUNS / "tiny" / LOCK).write_text("1\n")  # a number from another machine
        assert owner(RUNS / "tiny") is None
        assert launch.running() == []
    assert not (RUNS / "tiny" / STUDY).exists()


def test_what_a_search_printed_elsewhere_is_not_what_an_earlier_one_printed_here(
    here: Path,
) -> None:
    folder = RUNS / "tiny"
    with owned(folder):
        for line, said in ((launch.STARTING, launch.STARTING), ("error: earlier", "")):
            (folder / launch.SAID).write_text(f"{line}\n")
            os.utime(folder / launch.SAID, (1e9, 1e9))
            assert launch.said(folder) == said
        (folder / launch.SAID).write_text(f"interrupted; {GOES_ON}\n")
        assert launch.ended(folder) == "interrupted; press Start to go on"


def test_devices_are_named_as_a_search_takes_them() -> None:
    first, second, *others = launch.devices()
    assert (first, second) == ("auto", "cpu")
    for name in others:
        check_device(name)


@pytest.mark.torch
def test_a_search_that_cannot_begin_says_why(here: Path) -> None:
    with pytest.raises(ArchError, match="no device 'tpu'"):
        launch.start(checked(TINY, {}), device="tpu")
    with pytest.raises(ArchError, match="cuda:99"):
        launch.start(checked(TINY, {}), device="cuda:99")
    with suppress(ArchError):  # it may end while it is still waited for
        launch.start(checked(TINY, {"name": "other", "train.data": "cifar10"}), device="cpu")
    wait_for(lambda: launch.said(RUNS / "other").startswith("error: data: CIFAR10 is not here"))


@pytest.mark.torch
def test_a_search_that_takes_its_time_is_left_to_itself(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "PATIENCE", 0.0)
    launch.start(checked(TINY, LONG), workers=1, device="cpu")
    assert launch.said(RUNS / "tiny") == launch.STARTING
    wait_for(lambda: [search.folder.name for search in launch.running()] == ["tiny"])


@pytest.mark.parametrize(
    ("error", "refused"), [(ProcessLookupError, False), (PermissionError, True)]
)
def test_a_search_that_cannot_be_signalled_is_no_trace(
    here: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError], refused: bool
) -> None:
    def kill(process: int, number: int) -> None:
        raise error

    with owned(RUNS / "tiny"), monkeypatch.context() as patched:
        patched.setattr(os, "kill", kill)
        (search,) = launch.running()
        if refused:
            with pytest.raises(ArchError, match=f"{os.getpid()} belongs to another user"):
                launch.stop(search)
        else:
            assert not launch.stop(search)


def test_a_folder_of_another_study_is_refused(here: Path) -> None:
    with owned(RUNS / "tiny"):
        pass
    (RUNS / "tiny" / "notes.txt").write_text("mine")
    with pytest.raises(ArchError, match="is not empty"):
        launch.start(checked(TINY, {}))
    assert yamlfile.parse(STUDY_TEXT).value["name"] == "tiny"
    assert (RUNS / "tiny" / "notes.txt").read_text() == "mine"
