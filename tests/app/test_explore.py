from __future__ import annotations

from pages import open_page


def test_the_address_chooses_the_network() -> None:
    page = open_page("explore", net="parnet_s")
    assert page.title[0].value == "parnet_s"
