from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from archgen import cost, files, load

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
    assert "input 3x224x224" in [caption.value for caption in app.caption]
    frame = app.dataframe[0].value
    assert frame["parameters"].sum() == cost(load("dpn131")).params
    assert app.code[0].value == files.find("specs", "dpn131").read_text().rstrip()


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
