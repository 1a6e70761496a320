"""The Explore page: what it draws, what it says of mistakes, and what the address holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pages import open_page
from streamlit.testing.v1 import AppTest

from archgen import cost, files, load
from archgen.explorer import Shown
from archgen.explorer.markdown import escaped

SPEC = files.find("specs", "dpn68").read_text(encoding="utf-8")
WRONG = SPEC.replace("groups: ", "groupz: ")
LINE = 1 + WRONG[: WRONG.index("groupz: ")].count("\n")
KEPT = "The page shows the last network without a mistake."


def type_text(page: AppTest, text: str, edition: int | None = None) -> None:
    """Do what the editor in the browser does when its text is another."""
    edition = editor(page)["edition"] if edition is None else edition
    page.session_state["explore.editor"] = {"typed": {"edition": edition, "text": text}}
    page.run()
    assert not page.exception, page.exception[0]


def editor(page: AppTest) -> dict[str, Any]:
    """Give what the editor is told."""
    found, *_ = page.get("bidi_component")
    told: dict[str, Any] = json.loads(found.proto.mixed.json or found.proto.json)
    return told


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def captions(page: AppTest) -> list[str]:
    return [caption.value for caption in page.caption]


def test_page_shows_a_network() -> None:
    page = open_page("explore")
    assert page.title[0].value == "dpn131"
    assert [*metrics(page).values()] == [
        "79,254,504", "16.0G", "33.0M", "131", "1,203 px", "291.0 MiB", "16.1 MiB"
    ]  # fmt: skip
    assert "Input 3x224x224" in captions(page)
    frame = page.dataframe[0].value
    assert frame["parameters"].sum() == cost(load("dpn131")).params
    assert editor(page)["text"] == files.find("specs", "dpn131").read_text()
    assert [each.proto.alt != "" for each in page.get("plotly_chart")] == [True]
    assert "dpn131" in page.get("graphviz_chart")[0].proto.alt


def test_the_address_chooses_the_network() -> None:
    page = open_page("explore", net="dpn68;stages.groups=16")
    assert page.title[0].value == "dpn68"
    assert "changed: stages\\.groups \\= 16" in captions(page)[0]
    assert "groups: 16" in editor(page)["text"]


def test_choice_redraws_and_stands_in_the_address() -> None:
    page = open_page("explore")
    page.selectbox(key="explore.spec").select("resnet18").run()
    assert not page.exception
    assert page.title[0].value == "resnet18"
    assert page.query_params["net"] == "resnet18"
    assert editor(page)["text"] == files.find("specs", "resnet18").read_text()


def test_typing_changes_the_network_and_the_address() -> None:
    page = open_page("explore", net="dpn68")
    first = editor(page)
    mine = SPEC.replace("dpn68", "mine").replace("[3, 4, 12, 3]", "[3, 4, 13, 3]")
    type_text(page, mine)
    assert page.title[0].value == "mine"
    assert metrics(page)["Layers"] == "71"
    assert Shown.read(page.query_params["net"]).text == mine
    assert page.selectbox(key="explore.spec").value == "your own spec"
    assert editor(page)["edition"] == first["edition"]
    type_text(page, SPEC)
    assert page.query_params["net"] == "dpn68"


@pytest.mark.parametrize("text", [WRONG, SPEC + "  : [", "", SPEC.replace("1000", "0")])
def test_a_mistake_leaves_the_network_on_the_screen(text: str) -> None:
    page = open_page("explore", net="dpn68")
    before = metrics(page)
    type_text(page, text)
    told = editor(page)
    assert told["line"] >= 1
    assert told["message"]
    assert (page.title[0].value, metrics(page)) == ("dpn68", before)
    assert page.query_params["net"] == "dpn68"
    assert KEPT in captions(page)
    type_text(page, SPEC)
    assert editor(page)["line"] == 0
    assert KEPT not in captions(page)


def test_a_mistake_is_told_at_its_line() -> None:
    page = open_page("explore", net="dpn68")
    type_text(page, WRONG)
    told = editor(page)
    assert told["line"] == LINE
    assert told["message"].startswith("nodes.stages.groupz: ")


def test_what_was_typed_into_a_text_that_is_gone_is_forgotten() -> None:
    page = open_page("explore", net="dpn68")
    old = editor(page)["edition"]
    page.selectbox(key="explore.spec").select("resnet18").run()
    assert editor(page)["edition"] > old
    type_text(page, WRONG, edition=old)
    assert page.title[0].value == "resnet18"
    assert editor(page)["line"] == 0


def test_a_draft_waits_while_another_page_is_open() -> None:
    page = open_page("explore", net="dpn68")
    type_text(page, WRONG)
    page.switch_page("screens/compare.py").run()
    page.switch_page("screens/explore.py").run()
    assert not page.exception
    assert (editor(page)["text"], editor(page)["line"]) == (WRONG, LINE)


def test_a_file_is_opened() -> None:
    page = open_page("explore")
    page.file_uploader(key="explore.file").upload("mine.yaml", SPEC.encode(), "text/yaml").run()
    assert not page.exception
    assert page.title[0].value == "dpn68"
    page.file_uploader(key="explore.file").upload("bad.yaml", b"name: \xff", "text/yaml").run()
    assert not page.exception
    assert "not UTF-8" in editor(page)["message"]
    assert page.title[0].value == "dpn68"


@pytest.mark.parametrize("net", ["nonsense", "dpn68;stages.groups=0", "~" + "A" * 40, "a;b"])
def test_an_address_that_is_refused_says_what_to_do(net: str) -> None:
    page = open_page("explore", net=net)
    assert len(page.error) == 1
    page.selectbox(key="explore.spec").select("resnet18").run()
    assert not page.exception
    assert (page.title[0].value, len(page.error)) == ("resnet18", 0)


def open_field(page: AppTest, of: str, seen: str) -> None:
    page.session_state["explore.field"] = True
    page.run()
    page.selectbox(key="explore.of").select(of).run()
    page.selectbox(key="explore.seen").select(seen).run()
    assert not page.exception


def test_page_draws_what_a_pixel_sees_once_that_is_opened() -> None:
    page = open_page("explore", net="drn_c_26")
    assert len(page.get("plotly_chart")) == 1
    open_field(page, "stages.3", "stages.1")
    said = page.get("plotly_chart")[1].proto.alt
    assert "sees 196 of the 28 by 28 positions of stages.1, 27% of a field of 27x27" in said
    assert escaped(said) in captions(page)


def test_page_says_where_no_path_leads() -> None:
    page = open_page("explore", net="parnet_s")
    open_field(page, "body.at8", "at16")
    assert [each.value for each in page.info] == [
        escaped("body.at8: no path leads here from at16; name a map before it")
    ]


def test_a_network_without_maps_is_shown() -> None:
    text = "name: flat\ninput: [3, 8, 8]\nnodes: {head: {block: pool_linear, classes: 10}}\n"
    page = open_page("explore", net=Shown(text=text).word())
    assert page.title[0].value == "flat"
    assert not page.error


def test_titles_are_no_markup() -> None:
    title = "<b>x</b> [a](javascript:b) :red[c] $d$"
    page = open_page("explore")
    type_text(page, SPEC.replace("Dual Path Networks", f"'{title}'"))
    shown = page.markdown[0].value
    assert shown.startswith(r"\<b\>x\<\/b\> \[a\]\(javascript\:b\) \:red\[c\] \$d\$")
