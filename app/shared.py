"""What the pages share: the network on the screen, kept in the address and over all pages."""

from __future__ import annotations

import sys
from textwrap import shorten
from typing import Any, Literal

import streamlit as st

from archgen import ArchError, Cost, cost
from archgen.explorer import DEFAULT, Shown
from archgen.explorer.markdown import escaped
from archgen.explorer.shown import built
from archgen.report.traces import Chart

KEY = "net"
SHAPES = "shapes of controls"
LONGEST = 600
"""Letters of a message: what it quotes may be of any length."""
_ASKED = "--net="


def opened() -> Shown:
    """Put the network that the address asks for on the screen; a page calls this once.

    A word that cannot be read is said to be wrong, and the first network is shown.
    """
    try:
        shown = Shown.read(_word())
    except ArchError as error:
        refuse(error)
        shown = Shown()
    show(shown)
    return shown


def current() -> Shown:
    """Give the network on the screen: the address's, or what this session showed last."""
    try:
        return Shown.read(_word())
    except ArchError:
        return Shown()


def _word() -> str:
    return st.query_params.get(KEY) or st.session_state.get(KEY) or _first()


def _first() -> str:
    """Give what ``archgen app`` was asked to show, if it was."""
    asked = (each.removeprefix(_ASKED) for each in sys.argv if each.startswith(_ASKED))
    return next(asked, DEFAULT)


def show(shown: Shown) -> None:
    """Put a network on the screen, for this page's address and for the other pages."""
    st.session_state[KEY] = st.query_params[KEY] = shown.word()


network = st.cache_resource(max_entries=16, show_spinner="Building")(built)
"""Builds a network once: it never changes."""


@st.cache_resource(max_entries=64, show_spinner="Counting")
def costs(word: str) -> Cost:
    """Count what a network costs once.

    Raises:
        ArchError: As `network` does.
    """
    return cost(network(word))


def refuse(error: ArchError | str) -> None:
    """Say what was wrong, as it is: messages quote addresses and specs, which anyone writes."""
    st.error(escaped(shorten(str(error), LONGEST, placeholder=" ...")))


def put(key: str, value: Any, shape: object = None) -> None:
    """Make a control show a value; one that does already is left alone, as it may be in use.

    Args:
        key: The control's.
        value: What it shall show.
        shape: What makes it another control, such as its ends: that starts without a value.
    """
    shapes = st.session_state.setdefault(SHAPES, {})
    new = key not in st.session_state or shapes.get(key) != shape
    if new or _typed(st.session_state[key]) != _typed(value):
        st.session_state[key] = value
    shapes[key] = shape


def _typed(value: Any) -> tuple[type, Any]:
    return type(value), value


def draw_chart(chart: Chart, key: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Draw a figure in the colours of the theme; `width` is in pixels."""
    figure = {"data": chart.data, "layout": chart.layout}
    st.plotly_chart(figure, width=width, key=key, alt=chart.said)
