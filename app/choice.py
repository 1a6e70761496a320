"""Which network is on the screen: a shipped spec, or a file."""

from __future__ import annotations

import streamlit as st
from editor import open_file
from shared import show

from archgen.explorer import Shown, titles

papers = st.cache_data(titles)


def draw_choice(shown: Shown) -> None:
    """Draw what chooses the network: a shipped spec, or a file."""
    known = papers()
    st.session_state["spec"] = shown.spec if shown.spec in known else None
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    left.selectbox(
        "Network",
        list(known),
        index=None,
        required=True,
        format_func=lambda name: f"{name} · {known[name]}",
        placeholder="Your own spec; choose or type to find another",
        key="spec",
        on_change=_choose,
    )
    with right.popover("Open", help="Open a spec from a file", width="stretch"):
        st.file_uploader("A spec", ["yaml", "yml"], max_upload_size=1, key="file", on_change=_open)


def _choose() -> None:
    show(Shown(st.session_state["spec"]))


def _open() -> None:
    if st.session_state["file"] is not None:
        open_file(st.session_state["file"].getvalue())
