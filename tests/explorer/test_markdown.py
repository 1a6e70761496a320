from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from archgen.explorer.markdown import escaped

JOINER = "\N{WORD JOINER}"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_what_is_escaped_reads_as_it_is(text: str) -> None:
    plain = " ".join(text.split())
    wanted = f"<p>{escape(plain).replace('&#x27;', chr(39))}</p>\n" if plain else ""
    assert MarkdownIt().render(escaped(text)).replace(JOINER, "") == wanted


@pytest.mark.parametrize(
    "text", ["https://evil.example/a", "HTTP://evil.example", "WWW.evil.example", "a@evil.example"]
)
def test_a_bare_address_is_no_link(text: str) -> None:
    said = escaped(f"see {text} there").replace("\\", "")
    assert text not in said
    assert text in said.replace(JOINER, "")
