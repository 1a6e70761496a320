from __future__ import annotations

from html import escape

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from archgen.explorer.markdown import escaped


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_what_is_escaped_reads_as_it_is(text: str) -> None:
    plain = " ".join(text.split())
    wanted = f"<p>{escape(plain).replace('&#x27;', chr(39))}</p>\n" if plain else ""
    assert MarkdownIt().render(escaped(text)) == wanted
