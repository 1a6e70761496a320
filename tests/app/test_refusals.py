"""What a page says of an address that anyone may have written: never more than its text."""

from __future__ import annotations

import pytest
from pages import open_page

from archgen.explorer import Shown
from archgen.explorer.markdown import escaped

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


HUGE = "9" * 5_000


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("explore", {"net": HUGE}),
        ("explore", {"net": f"dpn131;stages.groups={HUGE}"}),
        ("explore", {"net": f"dpn131;{HUGE}=1"}),
        ("explore", {"net": f"~{'A' * 100_000}"}),
        ("explore", {"net": f"dpn131;stages.depth={'[' * 5_000}"}),
        ("knobs", {"net": f"dpn131;stages.groups={HUGE}"}),
        ("knobs", {"hold": HUGE}),
        ("knobs", {"hold": f"params={HUGE};stages.groups"}),
        ("knobs", {"hold": f"{HUGE}=1;stages.groups"}),
    ],
    ids=range(9),
)
def test_a_huge_address_is_refused_in_a_few_words(page: str, query: dict[str, str]) -> None:
    shown = open_page(page, **query)
    assert shown.error
    assert all(len(each.value) < 2_000 for each in shown.error)


def test_a_name_that_is_unknown_is_said_once() -> None:
    page = open_page("explore", net="dpn31")
    (error,) = page.error
    assert error.value.startswith(escaped("no spec 'dpn31' in the library; did you mean 'dpn131'"))
    assert not page.get("bidi_component")


def test_one_session_does_not_change_what_another_shows() -> None:
    one, two = (open_page("knobs", net="dpn68") for _ in range(2))
    before = [metric.value for metric in two.metric]
    one.get_by_key("knob stages.groups").set_value(16).run()
    assert [metric.value for metric in one.metric] != before
    two.run()
    assert [metric.value for metric in two.metric] == before
    assert two.query_params["net"] == "dpn68"
    assert open_page("explore", net="dpn68").metric[0].value == before[0]
