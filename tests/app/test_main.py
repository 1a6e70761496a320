from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from archgen import cost, files, load
from archgen.analysis import coverage
from archgen.view import shades

SCRIPT = str(files.library("app") / "main.py")


def page(**query: str) -> AppTest:
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params.update(query)
    return app.run()


def test_page_shows_a_network() -> None:
    app = page()
    assert not app.exception
    assert app.title[0].value == "dpn131"
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Parameters"] == "79.3M"
    assert metrics["Receptive field"] == "1203"
    assert "input 3x224x224" in [caption.value for caption in app.caption]
    frame = app.dataframe[0].value
    assert frame["parameters"].sum() == cost(load("dpn131")).params
    text = files.find("specs", "dpn131").read_text().rstrip()
    assert text in [code.value for code in app.code]


def test_choice_redraws_and_stands_in_the_address() -> None:
    app = page()
    app.selectbox(key="spec").select("resnet18").run()
    assert not app.exception
    assert app.title[0].value == "resnet18"
    assert app.query_params["spec"] == "resnet18"


@pytest.mark.parametrize(("asked", "shown"), [("parnet_s", "parnet_s"), ("nonsense", "dpn131")])
def test_address_chooses(asked: str, shown: str) -> None:
    app = page(spec=asked)
    assert not app.exception
    assert app.title[0].value == shown


def test_page_draws_what_a_pixel_sees() -> None:
    app = page(spec="drn_c_26")
    app.selectbox(key="of").select("stages.3").run()
    app.selectbox(key="seen").select("stages.1").run()
    assert not app.exception
    assert "196 positions, 27% of a field of 27x27" in [each.value for each in app.caption]
    drawing = shades(coverage(load("drn_c_26"), "stages.3", "stages.1")).rstrip()
    assert drawing in [code.value for code in app.code]


def test_page_says_where_no_path_leads() -> None:
    app = page(spec="parnet_s")
    app.selectbox(key="of").select("body.at8").run()
    app.selectbox(key="seen").select("at16").run()
    assert not app.exception
    assert [each.value for each in app.info] == [
        "body.at8: no path leads here from at16; name a map before it"
    ]
