"""A network's diagram: closed, or opened at the part that the address names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from shared import network

from archgen import ArchError
from archgen.view import Picture, dot, picture
from archgen.view.colours import INKS

KEY = "open"
CLICK, PART = "explore.click", "explore.part"
_clicks = st.components.v2.component(
    "archgen.diagram", js=Path(__file__).with_name("diagram.js").read_text(encoding="utf-8")
)


def draw_diagram(word: str) -> None:
    """Draw a network with the way into it: a click on a box, or the part's name."""
    try:
        drawn = _picture(word, st.query_params.get(KEY, ""))
    except ArchError:  # another network than the one that was opened
        drawn = _picture(word, "")
        del st.query_params[KEY]
    _way(drawn)
    text = dot(drawn, link=_link, ink=INKS[st.context.theme.type or "light"])
    with st.container(horizontal_alignment="center"):
        st.graphviz_chart(text, width="content", alt=drawn.said)
    if drawn.legend:
        st.caption(drawn.legend)
    _clicks(key=CLICK, data={"key": KEY}, on_opened_change=_open_clicked)


@st.cache_resource(max_entries=16, show_spinner="Drawing")
def _picture(word: str, path: str) -> Picture:
    return picture(network(word), path)


def _way(drawn: Picture) -> None:
    """Lead back to what is around, and on to what is inside."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for step, path in enumerate(("", *drawn.trail)):
            st.button(
                path or "Whole network",
                key=f"explore.open {path}",
                type="tertiary",
                icon=":material/chevron_right:" if path else None,
                disabled=step == len(drawn.trail),
                on_click=_open,
                args=[path],
            )
        st.selectbox(
            "Open a part",
            drawn.parts,
            index=None,
            key=PART,
            placeholder="Open a part",
            label_visibility="collapsed",
            on_change=_open_chosen,
            width=260,
        )


def _open(path: str) -> None:
    if path:
        st.query_params[KEY] = path
    else:
        st.query_params.pop(KEY, None)


def _open_chosen() -> None:
    _open(st.session_state[PART] or "")
    st.session_state[PART] = None


def _open_clicked() -> None:
    _open(st.session_state[CLICK]["opened"] or "")


def _link(path: str) -> str:
    """Write the address that opens a path, all else as it is."""
    return "?" + urlencode(st.query_params.to_dict() | {KEY: path})
