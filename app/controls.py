"""The numbers of the network on the screen as controls."""

from __future__ import annotations

from typing import Any

import streamlit as st
from hold import current_lock, put
from shared import current, show

from archgen.explorer import Knob, Refusal, Span, Turned, curves, knobs, span, turn
from archgen.spec import Net

TURNED, CURVE = "turned", "curve"
WIDTH = 140
"""Pixels of a control."""


def draw_controls(net: Net, base: Net) -> None:
    """Draw the controls of one node; turning one changes the network on the screen.

    Args:
        net: The network on the screen.
        base: The same before anything was turned: sliders go around its numbers.
    """
    nodes = ["", *net.nodes]
    stack = next((name for name, node in net.nodes.items() if node.depth is not None), nodes[1])
    node = st.segmented_control(
        "Part of the network", nodes, default=stack, required=True, key=f"part of {base.name}",
        format_func=lambda name: name or "whole network", label_visibility="collapsed",
    )  # fmt: skip
    exact = st.toggle("Type numbers", key="exact", help="Any number that the field allows")
    here = [knob for knob in knobs(net) if knob.node == node]
    origins = {knob.path: knob.value for knob in knobs(base)}
    for written, title in ((True, "What the spec says"), (False, "What it leaves to defaults")):
        if some := [knob for knob in here if knob.written == written]:
            st.caption(title)
            with st.container(horizontal=True, vertical_alignment="bottom"):
                for knob in some:
                    _draw(knob, origins.get(knob.path), exact=exact)


def _draw(knob: Knob, origin: Any, *, exact: bool) -> None:
    """Draw one control, and under it what refuses its value."""
    refused, lock = _refusal(), current_lock()
    wrong = refused if refused is not None and refused.path == knob.path else None
    value = wrong.value if wrong else knob.value
    key = f"knob {knob.path}"
    args: dict[str, Any] = {
        "label": knob.name, "key": key, "help": knob.help or None,
        "disabled": lock is not None and lock.by == knob.path,
        "on_change": _turned, "args": (knob.path, key),
    }  # fmt: skip
    with st.container(width="stretch" if wrong else WIDTH, gap="xxsmall"):
        around = None if exact or not knob.solvable else _span(knob, origin, value)
        _widget(knob, value, around, args)
        if wrong:
            st.error(wrong.message)


def _span(knob: Knob, origin: Any, value: Any) -> Span | None:
    if isinstance(origin, bool) or not isinstance(origin, int | float):
        origin = knob.value
    found = span(knob, origin)
    return found if found and value is not None and found.low <= value <= found.high else None


def _widget(knob: Knob, value: Any, around: Span | None, args: dict[str, Any]) -> None:
    number = int if knob.whole else float
    if isinstance(value, int | float) and not knob.options:
        value = number(value)
    put(args["key"], value)
    if knob.switch:
        st.toggle(**args)
    elif knob.options:
        st.selectbox(options=knob.options, format_func=lambda each: str(each or "none"), **args)
    elif around is not None:
        ends = number(around.low), number(around.high), number(around.step)
        st.slider(min_value=ends[0], max_value=ends[1], step=ends[2], format="%.6g", **args)
    else:
        low, high = (None if end is None else number(end) for end in (knob.low, knob.high))
        st.number_input(min_value=low, max_value=high, step=1 if knob.whole else None,
                        format=None if knob.whole else "%.6g", placeholder="none", **args)  # fmt: skip


def _turned(path: str, key: str) -> None:
    """Take a control's new value; the curve of what it belongs to comes to the front."""
    turned = turn(current(), path, st.session_state[key], current_lock(), _refusal())
    st.session_state[TURNED] = turned
    show(turned.shown)
    for curve in curves(turned.shown.net()):
        if f"{path}.".startswith(f"{curve}."):
            st.session_state[CURVE] = curve


def _refusal() -> Refusal | None:
    """Give the value that was refused last, as long as that network is on the screen."""
    turned: Turned | None = st.session_state.get(TURNED)
    return turned.refused if turned and turned.shown == current() else None
