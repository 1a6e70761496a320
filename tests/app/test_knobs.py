"""The page of knobs: what turns, what follows, what is refused, what the address holds."""

from __future__ import annotations

from typing import Any

import pytest
from pages import open_page
from streamlit.testing.v1 import AppTest

from archgen import cost, load
from archgen.explorer import Shown, knobs
from archgen.explorer.markdown import escaped


def figures(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def turn(page: AppTest, path: str, value: Any) -> AppTest:
    """Move the control of a number; an exception of ours would be a bug."""
    page.get_by_key(f"knob {path}").set_value(value).run()
    assert not page.exception, page.exception[0]
    return page


def test_a_slider_changes_the_figures_and_the_address() -> None:
    page = open_page("knobs", net="dpn131")
    assert figures(page)["Parameters"] == "79,254,504"
    turn(page, "stages.groups", 32)
    params = cost(load("dpn131").set({"stages.groups": 32})).params
    assert figures(page)["Parameters"] == f"{params:,}"
    assert page.metric[0].delta == "-17.8%"
    assert page.query_params["net"] == "dpn131;stages.groups=32"


def test_an_address_opens_what_another_person_turned() -> None:
    page = open_page("knobs", net="pyramidnet110_a48;stages.width.alpha=84;stages.depth.0=20")
    assert page.get_by_key("knob stages.width.alpha").value == 84
    assert page.get_by_key("knob stages.depth.0").value == 20
    table = page.dataframe[0].value
    assert table.to_dict("list") == {
        "number": ["stages.width.alpha", "stages.depth.0"],
        "before": ["48", "18"],
        "now": ["84", "20"],
    }


def test_undo_leads_back_to_the_spec() -> None:
    page = open_page("knobs", net="dpn131;stages.groups=32")
    next(each for each in page.button if each.label == "Undo all changes").click().run()
    assert page.query_params["net"] == "dpn131"
    assert page.get_by_key("knob stages.groups").value == 40
    assert figures(page)["Parameters"] == "79,254,504"
    assert not page.dataframe


def test_a_refused_value_stands_in_its_control_with_the_reason() -> None:
    page = open_page("knobs", net="resnet50")
    turn(page, "stages.groups", 3)
    assert [error.value for error in page.error] == [
        escaped("stages.0.0.spatial: 64 -> 64 channels cannot be split into 3 groups")
    ]
    assert page.get_by_key("knob stages.groups").value == 3
    assert page.query_params["net"] == "resnet50"
    assert figures(page)["Parameters"] == "25,557,032"
    turn(page, "stages.groups", 4)
    assert not page.error
    assert page.query_params["net"] == "resnet50;stages.groups=4"


def test_every_part_of_a_network_has_its_controls() -> None:
    page = open_page("knobs", net="parnet_s")
    net, keys = load("parnet_s"), set()
    for part in ["", *net.nodes]:
        page.get_by_key("knobs.part of parnet_s").set_value(part).run()
        kinds = (page.slider, page.number_input, page.selectbox, page.toggle)
        keys |= {each.key for kind in kinds for each in kind if each.key}
    assert {f"knob {knob.path}" for knob in knobs(net)} <= keys


def test_numbers_can_be_typed_beyond_the_slider() -> None:
    page = open_page("knobs", net="dpn131;stages.groups=32")
    page.toggle(key="knobs.exact").set_value(True).run()
    typed = page.number_input(key="knob stages.groups")
    assert (typed.value, typed.min) == (32, 1)
    turn(page, "stages.groups", 999_999_999)
    assert "65536" in page.error[0].value.replace(",", "")
    turn(page, "stages.groups", 100)
    turn(page, "stages.group_width.ratio", 1.5)
    page.toggle(key="knobs.exact").set_value(False).run()
    slider = page.slider(key="knob stages.groups")
    assert (slider.value, slider.max) == (100, 100)
    assert page.query_params["net"] == "dpn131;stages.groups=100;stages.group_width.ratio=1.5"


def test_what_may_be_absent_is_typed_and_taken_back() -> None:
    page = open_page("knobs", net="resnet18")
    before = figures(page)["Parameters"]
    turn(page, "stages.se", 16)
    assert figures(page)["Parameters"] != before
    turn(page, "stages.se", None)
    assert figures(page)["Parameters"] == before
    assert page.query_params["net"] == "resnet18"


def test_a_choice_and_a_switch_turn_too() -> None:
    page = open_page("knobs", net="dsnet50")
    turn(page, "stages.act", "silu")
    turn(page, "stages.shortcut.weight", False)
    assert page.query_params["net"] == 'dsnet50;stages.act="silu";stages.shortcut.weight=false'
    page.get_by_key("knobs.part of dsnet50").set_value("").run()
    turn(page, "output_stride", 8)
    assert Shown.read(page.query_params["net"]).net().output_stride == 8


def test_a_column_is_written_as_a_schedule_and_turned() -> None:
    page = open_page("knobs", net="resnet50")
    page.selectbox(key="knobs.rewritten field").set_value("stages.width").run()
    page.selectbox(key="knobs.rewritten form").set_value("additive").run()
    next(each for each in page.button if each.label == "Write it so").click().run()
    net = Shown.read(page.query_params["net"]).net()
    assert net.get("stages.width") == {"kind": "additive", "start": 34.1333, "alpha": 477.867}
    turn(page, "stages.width.alpha", 300.0)
    assert page.query_params["net"].endswith(";stages.width.alpha=300")
    assert page.dataframe[0].value["now"].tolist()[1] == "300"


def test_alpha_follows_the_depth_while_parameters_are_held() -> None:
    page = open_page("knobs", net="pyramidnet110_a48", hold="params=1700000;stages.width.alpha")
    assert page.get_by_key("knob stages.width.alpha").disabled
    turn(page, "stages.depth.0", 24)
    params = int(figures(page)["Parameters"].replace(",", ""))
    assert abs(params / 1.7e6 - 1) < 0.002
    assert page.query_params["hold"] == "params=1700000;stages.width.alpha"
    alpha = Shown.read(page.query_params["net"]).changes["stages.width.alpha"]
    assert page.get_by_key("knob stages.width.alpha").value == alpha < 48


def test_a_cost_is_held_by_its_controls() -> None:
    page = open_page("knobs", net="pyramidnet110_a48")
    page.selectbox(key="knobs.held cost").set_value("params").run()
    assert (
        page.number_input(key="knobs.held target").value == cost(load("pyramidnet110_a48")).params
    )
    assert "hold" not in page.query_params
    page.selectbox(key="knobs.held by").set_value("stages.width.alpha").run()
    page.number_input(key="knobs.held target").set_value(3_000_000).run()
    assert page.query_params["hold"] == "params=3000000;stages.width.alpha"
    params = int(figures(page)["Parameters"].replace(",", ""))
    assert abs(params / 3e6 - 1) < 0.002
    page.selectbox(key="knobs.held cost").set_value(None).run()
    assert "hold" not in page.query_params
    assert not page.get_by_key("knob stages.width.alpha").disabled


def test_what_cannot_follow_is_said_and_nothing_is_held() -> None:
    page = open_page("knobs", net="dpn131")
    page.selectbox(key="knobs.held cost").set_value("params").run()
    page.number_input(key="knobs.held target").set_value(50_000_000).run()
    page.selectbox(key="knobs.held by").set_value("stages.eps").run()
    assert page.error[0].value.startswith(escaped("stages.eps: changes no params"))
    assert "hold" not in page.query_params


def test_a_target_out_of_reach_is_said() -> None:
    page = open_page("knobs", net="dpn_digits", hold="params=1000;stages.groups")
    turn(page, "stages.depth.0", 2)
    assert escaped("No value of stages.groups comes nearer") in page.warning[0].value


def test_a_lock_from_the_address_is_followed_when_that_is_asked_for() -> None:
    page = open_page("knobs", net="pyramidnet110_a48", hold="params=3e6;stages.width.alpha")
    (warning,) = page.warning
    assert escaped("Parameters: the network is -40.9% off") in warning.value
    assert "No value" not in warning.value
    assert page.query_params["net"] == "pyramidnet110_a48"
    next(each for each in page.button if each.label == "Let it follow now").click().run()
    assert not page.warning
    assert abs(int(figures(page)["Parameters"].replace(",", "")) / 3e6 - 1) < 0.002


def test_a_target_is_asked_for_with_its_unit() -> None:
    page = open_page("knobs", net="dpn68", hold="saved_bytes=1e8;stages.groups")
    assert page.number_input(key="knobs.held target").label == "at (bytes)"


def test_no_value_comes_nearer_is_said_after_a_search_only() -> None:
    page = open_page("knobs", net="dpn_digits", hold="params=1000;stages.groups")
    assert "No value" not in page.warning[0].value
    next(each for each in page.button if each.label == "Let it follow now").click().run()
    assert escaped("No value of stages.groups comes nearer") in page.warning[0].value


def test_a_lock_on_a_number_that_is_gone_is_given_up() -> None:
    page = open_page("knobs", net="dpn131", hold="params=1e6;stages.width.alpha")
    assert "hold" not in page.query_params
    turn(page, "stages.groups", 32)
    assert not page.error


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"net": "dpn131;stages.groups=x"}, "stages.0.0.groups: needs an integer, not 'x'"),
        ({"net": "dpn131;stages.grups=2"}, "did you mean 'groups'?"),
        ({"net": "dpn31"}, "no spec 'dpn31' in the library; did you mean"),
        ({"net": "dpn131", "hold": "params"}, "'params' in the address is no lock"),
        ({"net": "~abcd"}, "the address holds a spec that cannot be read"),
    ],
)
def test_an_address_that_is_wrong_is_said_in_a_line(query: dict[str, str], said: str) -> None:
    page = open_page("knobs", **query)
    assert escaped(said) in page.error[0].value


def test_from_a_refused_address_a_button_leads_to_the_spec() -> None:
    page = open_page("knobs", net="dpn131;stages.width=64")
    next(each for each in page.button if each.label == "Undo all changes").click().run()
    assert page.query_params["net"] == "dpn131"
    assert figures(page)["Parameters"] == "79,254,504"


def test_files_of_what_is_on_the_screen() -> None:
    page = open_page("knobs", net="dpn68;stages.groups=16")
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Spec (.yaml)", "Source (.py)", "Picture (.svg)", "Costs (.csv)"]
