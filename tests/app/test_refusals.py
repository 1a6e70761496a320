"""What a page says of an address that anyone may have written: never more than its text."""

from __future__ import annotations

import pytest
from pages import open_page

from archgen.explorer import Shown

MARKUP = "![x](http://evil.example/a.png) [Sign in](http://evil.example/login) https://evil.example"
SPEC = f"""\
name: mine
paper: {{title: "{MARKUP}"}}
input: [3, 8, 8]
nodes:
  "{MARKUP}": {{block: conv_norm, width: 4, kernel: 3}}
"""
ADDRESSES = [
    ("explore", {"net": MARKUP}),
    ("explore", {"net": f"dpn131;{MARKUP}=1"}),
    ("explore", {"net": f"dpn131;{MARKUP}"}),
    ("explore", {"net": f'dpn131;stages.act="{MARKUP}"'}),
    ("explore", {"net": Shown(text=SPEC).word()}),
    ("explore", {"open": MARKUP}),
    ("knobs", {"net": MARKUP}),
    ("knobs", {"net": f"dpn131;{MARKUP}=1"}),
    ("knobs", {"net": f"a;{MARKUP}"}),
    ("knobs", {"hold": MARKUP}),
    ("knobs", {"hold": f"{MARKUP}=5;stages.groups"}),
    ("knobs", {"hold": f"params=1e6;{MARKUP}"}),
    ("compare", {"nets": MARKUP}),
    ("compare", {"net": f"a;{MARKUP}"}),
    ("studies", {"study": MARKUP}),
    ("launch", {"study": MARKUP}),
]


@pytest.mark.parametrize(("page", "query"), ADDRESSES)
def test_an_address_puts_no_markup_on_the_page(page: str, query: dict[str, str]) -> None:
    shown = open_page(page, **query)
    kinds = (shown.error, shown.warning, shown.info, shown.caption, shown.markdown, shown.title)
    for said in (each.value for kind in kinds for each in kind):
        assert "![" not in said
        assert "](http://evil" not in said
        assert "https://evil" not in said.replace("\\", "")
