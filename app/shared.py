"""What the pages share: the network on the screen, kept in the address and over all pages."""

from __future__ import annotations

import sys
from typing import Literal

import streamlit as st

from archgen import ArchError
from archgen.explorer import DEFAULT, Shown
from archgen.report.traces import Chart

KEY = "net"
_ASKED = "--net="


def current() -> Shown:
    """Give the network on the screen: the address's, or what this session showed last."""
    word = st.query_params.get(KEY) or st.session_state.get(KEY) or _first()
    try:
        shown = Shown.read(word)
    except ArchError as error:
        st.error(str(error))
        shown = Shown()
    show(shown)
    return shown


def _first() -> str:
    """Give what ``archgen app`` was asked to show, if it was."""
    asked = (each.removeprefix(_ASKED) for each in sys.argv if each.startswith(_ASKED))
    return next(asked, DEFAULT)


def show(shown: Shown) -> None:
    """Put a network on the screen, for this page's address and for the other pages."""
    st.session_state[KEY] = st.query_params[KEY] = shown.word()


def draw_chart(chart: Chart, key: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Draw a figure in the colours of the theme; `width` is in pixels."""
    figure = {"data": chart.data, "layout": chart.layout}
    st.plotly_chart(figure, width=width, key=key, alt=chart.said)
