"""The diagram on page Explore: opened by the address, a name or a crumb."""

from __future__ import annotations

import pytest
from pages import open_page
from streamlit.testing.v1 import AppTest


def drawn(app: AppTest) -> str:
    (chart,) = app.get("graphviz_chart")
    return str(chart.proto.spec)


def test_closed_it_shows_stages_and_the_way_into_each() -> None:
    app = open_page("explore", net="dpn98;stages.groups=20")
    (chart,) = app.get("graphviz_chart")
    assert chart.proto.alt.startswith("dpn98: 7 boxes; input, stem, stages.0, ")
    assert 'URL="?net=dpn98%3Bstages.groups%3D20&open=stages.2"' in drawn(app)
    assert app.selectbox("explore.part").options[:2] == ["stem", "stages.0"]
    assert app.button("explore.open ").disabled


def test_a_part_is_opened_by_its_name_and_closed_by_a_crumb() -> None:
    app = open_page("explore", net="dpn98")
    app.selectbox("explore.part").select("stages.2").run()
    assert app.query_params["open"] == "stages.2"
    assert '"stages.2.3 to 18" [' in drawn(app)
    app.selectbox("explore.part").select("stages.2.7").run()
    assert '"stages.2.7.spatial" [' in drawn(app)
    assert app.query_params["net"] == "dpn98"
    app.button("explore.open stages.2").click().run()
    assert '"stages.2.3 to 18" [' in drawn(app)
    app.button("explore.open ").click().run()
    assert "open" not in app.query_params
    assert '"stages.2" [' in drawn(app)


@pytest.mark.parametrize("path", ["stages.9", "body", '"];<script>', "stages.0.0.reduce"])
def test_what_this_network_has_not_is_not_opened(path: str) -> None:
    app = open_page("explore", net="dpn98", open=path)
    assert "open" not in app.query_params
    assert '"stages.2" [' in drawn(app)
    assert not app.error
