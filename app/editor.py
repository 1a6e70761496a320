"""The editor: a spec's text, with a mistake marked in its line. The network follows what is right.

A component of our own: Streamlit's text areas know no lines.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from shared import network, show

from archgen.explorer import Draft, Shown

KEY = "explore.editor"
_DRAFT, _EDITION = "explore.draft", "explore.edition"
_HTML = """
<div class="editor"><div class="paper">
  <div class="numbers" aria-hidden="true"></div>
  <textarea aria-label="Spec as YAML" aria-describedby="mistake" spellcheck="false"
    autocapitalize="off" autocomplete="off" wrap="off"></textarea>
  <div class="mark" hidden></div>
</div><div class="message" id="mistake" role="alert" hidden></div></div>
"""
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "archgen.editor",
    html=_HTML,
    css=(_HERE / "editor.css").read_text(encoding="utf-8"),
    js=(_HERE / "editor.js").read_text(encoding="utf-8"),
)


def draft(shown: Shown) -> Draft:
    """Give the text that is being edited: this network's, until something is typed.

    Args:
        shown: The network on the screen; what was typed since may be another.
    """
    kept = st.session_state.get(_DRAFT)
    if not isinstance(kept, Draft) or kept.shown != shown:
        kept = Draft.of(shown, network)
        _put(kept)
    typed = (st.session_state.get(KEY) or {}).get("typed")
    if typed and typed["edition"] == st.session_state[_EDITION] and typed["text"] != kept.text:
        kept = st.session_state[_DRAFT] = kept.edited(typed["text"])
        show(kept.shown)
    return kept


def open_file(content: bytes) -> None:
    """Put a file's content into the editor, and its network on the screen if it is right."""
    opened = st.session_state[_DRAFT].opened(content)
    _put(opened)
    show(opened.shown)


def draw_editor(draft: Draft) -> None:
    """Draw the editor."""
    _component(
        key=KEY,
        data={
            "text": draft.text,
            "edition": st.session_state[_EDITION],
            "line": draft.line,
            "message": draft.complaint,
        },
        on_typed_change=lambda: None,
    )


def _put(draft: Draft) -> None:
    """Take another text; a new edition makes the browser let go of its own."""
    st.session_state[_DRAFT] = draft
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1
