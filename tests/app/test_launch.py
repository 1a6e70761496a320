from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import open_page

from archgen import files
from archgen.explorer.markdown import escaped
from archgen.study import load_study
from archgen.study.storage import LOCK, RUNS, owned, settle


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_address_chooses_the_study_and_the_form_has_its_numbers() -> None:
    page = open_page("launch", space="pyramid")
    numbers = {each.label: each.value for each in page.number_input}
    assert page.text_input[0].value == "pyramid"
    assert (numbers["Trials"], numbers["Epochs"]) == (60, 10)
    assert (numbers["params, max"], numbers["params, min"]) == (200e3, None)
    assert "name: pyramid" in page.code[0].value
    assert not page.error
    assert "No search is running" in page.caption[0].value


@pytest.mark.parametrize("name", files.names("studies"))
def test_every_shipped_study_has_a_form(name: str) -> None:
    assert not open_page("launch", space=name).error


def test_what_is_changed_is_what_will_run() -> None:
    page = open_page("launch", space="pyramid")
    page.number_input(key="launch:pyramid:trials").set_value(5)
    page.number_input(key="launch:pyramid:train.lr").set_value(0.2)
    page.number_input(key="launch:pyramid:keep.params.min").set_value(1000.0)
    page.selectbox(key="launch:pyramid:sampler.kind").set_value("qmc")
    page.text_area(key="launch:pyramid:vary").set_value(
        "stages.width.alpha: {from: 4, to: 9}"
    ).run()
    assert not page.error
    said = page.code[0].value
    for part in ("trials: 5", "lr: 0.2", "kind: qmc", "to: 9,"):
        assert part in said
    assert "min: 1000.0" in said


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("text_input", ("name", "My Study"), "name: give small letters"),
        ("text_area", ("vary", "stages: [1"), "what varies:1"),
        ("text_area", ("vary", "stages.wdth: {from: 1, to: 2}"), "vary.stages.wdth"),
        ("text_input", ("train.data", "digit"), "did you mean 'digits'"),
    ],
)
def test_a_mistake_is_said_and_nothing_can_be_started(
    key: str, value: tuple[str, str], said: str
) -> None:
    page = open_page("launch", space="pyramid")
    field, text = value
    getattr(page, key)(key=f"launch:pyramid:{field}").set_value(text).run()
    assert not page.exception
    assert escaped(said) in page.error[0].value
    beside = any(each.value.startswith(":red[") for each in page.markdown)
    assert beside == ("what varies" not in said)
    [start] = [button for button in page.button if button.label == "Start"]
    assert start.disabled
    assert "Workers" in [each.label for each in page.number_input]


def test_an_unknown_study_in_the_address_is_none() -> None:
    assert open_page("launch", space="../../etc").selectbox[0].value in files.names("studies")


def test_a_study_of_ones_own_is_uploaded_with_its_spec() -> None:
    page = open_page("launch")
    text = files.find("studies", "pyramid").read_bytes()
    study, _ = page.file_uploader
    study.set_value(("own.yaml", text.replace(b"name: pyramid", b"name: mine"), "text/yaml")).run()
    assert not page.exception
    assert page.text_input[0].value == "mine"
    page.file_uploader[1].set_value(("s.yaml", b"name: x\n", "text/yaml")).run()
    assert escaped("s.yaml") in page.error[0].value


def test_a_running_search_is_listed_and_stopping_asks_first() -> None:
    with owned(RUNS / "pyramid"):
        settle(RUNS / "pyramid", load_study("pyramid"))
        page = open_page("launch", space="studies/runs/pyramid")
        assert page.selectbox[0].value == "studies/runs/pyramid"
        texts = [each.value for each in page.text]
        assert "pyramid" in texts
        assert "It was started elsewhere, and prints there." in texts
        stop = page.button(key=f"launch:stop:{os.getpid()}")
        assert stop.label == "Stop it now"
        (start,) = [button for button in page.button if button.label == "Start"]
        start.click().run()
    assert "another search is running" in page.error[0].value
    assert (RUNS / "pyramid" / LOCK).read_text() == f"{os.getpid()}\n"


@pytest.fixture
def interrupts() -> Iterator[threading.Event]:
    """Take note of Ctrl-C in this process, instead of ending it."""
    asked = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    yield asked
    signal.signal(signal.SIGINT, before)


def test_a_search_is_asked_once_to_stop_and_again_when_it_was_started_again(
    interrupts: threading.Event,
) -> None:
    key = f"launch:stop:{os.getpid()}"
    with owned(RUNS / "pyramid"):
        settle(RUNS / "pyramid", load_study("pyramid"))
        page = open_page("launch")
        page.button(key=key).click().run()
        assert interrupts.wait(5)
        assert "stopping ..." in [each.value for each in page.text]
        assert key not in [button.key for button in page.button]
    page.run()
    with owned(RUNS / "pyramid"):
        page.run()
        assert key in [button.key for button in page.button]


def test_a_mistake_has_no_markdown() -> None:
    page = open_page("launch", space="pyramid")
    page.text_area(key="launch:pyramid:vary").set_value(
        "'![x](http://a.example)': {from: 1, to: 2}"
    ).run()
    assert "![" not in page.error[0].value
