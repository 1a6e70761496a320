"""Which network is on the screen: a shipped spec, or a file."""

from __future__ import annotations

import streamlit as st
from editor import open_file
from shared import show

from archgen.explorer import Shown, titles

SPEC, FILE = "explore.spec", "explore.file"
OWN = "your own spec"
papers = st.cache_data(titles)


def draw_choice(shown: Shown) -> None:
    """Draw what chooses the network: a shipped spec, or a file."""
    known = papers()
    own = [] if shown.spec in known else [OWN]
    st.session_state[SPEC] = OWN if own else shown.spec
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    left.selectbox(
        "Network",
        [*own, *known],
        format_func=lambda name: f"{name} · {known[name]}" if name in known else name,
        help="Type to find one by its name or its paper",
        key=SPEC,
        on_change=_choose,
    )
    with right.popover("Open a file", width="stretch"):
        st.file_uploader("A spec", ["yaml", "yml"], max_upload_size=1, key=FILE, on_change=_open)


def _choose() -> None:
    show(Shown(st.session_state[SPEC]))


def _open() -> None:
    if st.session_state[FILE] is not None:
        open_file(st.session_state[FILE].getvalue())
