"""Page Compare: what the address says is compared, and what is chosen stands in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pages import SCRIPT
from streamlit.testing.v1 import AppTest

from archgen.explorer.markdown import escaped
from archgen.explorer.presets import PRESETS

PARNET, DRN = ["resnet34", "parnet_s"], ["resnet50", "drn_a_50"]


def opened(*words: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    app.query_params.update(query)
    if words:
        app.query_params["nets"] = [*words]
    app.switch_page("screens/compare.py").run()
    assert not app.exception, app.exception[0]
    return app


def addressed(app: AppTest) -> list[str]:
    words = app.query_params["nets"]
    return [words] if isinstance(words, str) else list(words)


def drawn(app: AppTest) -> dict[str, Any]:
    """Give the figure of curves."""
    charts = [each for each in app.main if each.type == "plotly_chart"]
    figure: dict[str, Any] = json.loads(charts[-1].proto.spec)
    return figure


def curves(app: AppTest) -> list[str]:
    return [trace["name"] for trace in drawn(app)["data"]]


def test_the_address_chooses_the_networks() -> None:
    app = opened(*DRN, "dpn131;stages.groups=32")
    assert app.multiselect[0].value == [*DRN, "dpn131;stages.groups=32"]
    figures = app.dataframe[0].value
    assert [*figures.columns][-2:] == ["dpn131 groups=32", "dpn131 groups=32: vs first"]
    assert figures["drn_a_50: vs first"][0] == "equal"
    assert not app.warning
    assert not app.error
    assert curves(app) == [*DRN, "dpn131 groups=32"]


def test_alone_it_is_the_network_on_the_screen_and_says_what_to_do() -> None:
    app = opened(net="dpn68;stages.groups=16")
    assert addressed(app) == ["dpn68;stages.groups=16"]
    assert "second network" in app.info[0].value
    assert not app.dataframe


@pytest.mark.parametrize("title", [each.title for each in PRESETS])
def test_a_click_makes_a_papers_comparison(title: str) -> None:
    app = opened()
    app.button_group(key="compare_preset").set_value(title).run()
    assert not app.exception
    made = next(each for each in PRESETS if each.title == title)
    assert addressed(app) == made.words()
    assert any(made.claim == each.value for each in app.markdown)
    assert len(app.table[0].value) == len(made.claims())
    assert not app.warning
    again = opened(*addressed(app))
    assert again.button_group(key="compare_preset").value == title


def test_another_first_is_held_against() -> None:
    app = opened(*PARNET, "resnet50")
    app.selectbox(key="compare_first").set_value("parnet_s").run()
    assert addressed(app) == ["parnet_s", "resnet34", "resnet50"]
    assert app.dataframe[0].value["resnet34: vs first"][3] == "2.833x"


def test_networks_are_added_and_taken_away() -> None:
    app = opened(*DRN, net="dpn131;stages.groups=32")
    app.button[0].click().run()
    assert addressed(app) == [*DRN, "dpn131;stages.groups=32"]
    assert not app.button
    app.multiselect[0].set_value(["drn_a_50", "resnet18"]).run()
    assert addressed(app) == ["drn_a_50", "resnet18"]


def test_no_more_than_six_and_each_once() -> None:
    names = ["resnet18", "resnet34", "resnet18", "resnet50", "dpn68", "dpn92", "dpn98", "dpn107"]
    app = opened(*names)
    assert addressed(app) == ["resnet18", "resnet34", "resnet50", "dpn68", "dpn92", "dpn98"]


def test_a_word_that_is_none_is_said_and_the_others_are_compared() -> None:
    app = opened(*DRN, "resnt50", "resnet50;stages.groups=7")
    assert escaped("no spec 'resnt50'") in app.error[0].value
    assert "7 groups" in app.error[1].value
    assert curves(app) == DRN


def test_inputs_that_differ_are_warned_of() -> None:
    assert "The inputs differ" in opened("resnet50", "resnet20_cifar").warning[0].value


def test_the_curve_stands_in_the_address() -> None:
    app = opened(*PARNET, compare_curve="Resolution")
    assert "pixels a side" in drawn(app)["layout"]["yaxis"]["title"]["text"]
    macs = app.dataframe[1].value
    app.button_group(key="compare_count").set_value("params").run()
    assert not app.exception
    params = app.dataframe[1].value
    assert (macs["resnet34"].iloc[-1], params["resnet34"].iloc[-1]) == ("512,000", "513,000")


def test_more_networks_than_have_their_place_are_not_left_out_in_silence() -> None:
    words = [f"dpn68;stem.kernel={kernel}" for kernel in (1, 3, 5, 9, 11, 13, 15, 17)]
    page = opened(*words)
    assert any("8 networks were asked for" in each.value for each in page.warning)
    assert addressed(page) == words[:6]
