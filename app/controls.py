"""The numbers of the network on the screen as controls."""

from __future__ import annotations

from typing import Any

import streamlit as st
from hold import current_lock, followed
from outcome import CURVE
from rewrite import draw_rewrite
from shared import current, put, refuse, show

from archgen.explorer import Knob, Lock, Refusal, Shown, Span, Turned, curves, knobs, span, turn
from archgen.spec import Net

TURNED, EXACT = "knobs.turned", "knobs.exact"
WIDTH = 188
"""Pixels of a control: two stand side by side where the window is 1280 wide."""


def draw_controls(net: Net, base: Net, shown: Shown, lock: Lock | None) -> None:
    """Draw the controls of one node; turning one changes the network on the screen.

    Args:
        net: The network on the screen.
        base: The same before anything was turned: sliders go around its numbers.
        shown: The network as the address has it.
        lock: What is held.
    """
    stacks = [name for name, node in net.nodes.items() if node.depth is not None]
    node = st.segmented_control(
        "Part of the network",
        ["", *net.nodes],
        default=[*stacks, *net.nodes][0],
        required=True,
        format_func=lambda name: name or "whole network",
        key=f"knobs.part of {base.name}",
        wrap=True,
        label_visibility="collapsed",
    )
    refused, follows = _refusal(shown), lock.by if lock is not None else ""
    draw_rewrite(net, node or "", refused, _take)
    exact = st.toggle(
        "Type numbers", key=EXACT, help="Any that the field allows, beyond the ends of the sliders"
    )
    found = {knob.path: knob for knob in knobs(net) if knob.node == node}
    origins = {knob.path: knob for knob in knobs(base)}
    order = [*(path for path in origins if path in found), *(p for p in found if p not in origins)]
    for written, title in ((True, "What the spec says"), (False, "What it leaves to defaults")):
        # A default that is turned stays in its place.
        here = [path for path in order if origins.get(path, found[path]).written == written]
        if here:
            st.caption(title)
            with st.container(horizontal=True, vertical_alignment="bottom"):
                for path in here:
                    origin = origins[path].value if path in origins else None
                    wrong = refused if refused is not None and refused.path == path else None
                    _draw(found[path], origin, wrong, exact=exact, free=path != follows)


def _draw(knob: Knob, origin: Any, wrong: Refusal | None, *, exact: bool, free: bool) -> None:
    """Draw one control, and under it what refuses its value; one that follows is not free."""
    value = wrong.value if wrong else knob.value
    key = f"knob {knob.path}"
    args: dict[str, Any] = {
        "label": knob.name,
        "key": key,
        "help": knob.help or None,
        "disabled": not free,
        "on_change": _turned,
        "args": (knob.path, key),
    }
    with st.container(width="stretch" if wrong else WIDTH, gap="xxsmall"):
        if knob.switch:
            put(key, value)
            st.toggle(**args)
        elif knob.options:
            put(key, value)
            st.selectbox(options=knob.options, format_func=lambda each: str(each or "none"), **args)
        else:
            _draw_number(knob, value, None if exact else _span(knob, origin, value), args)
        if wrong:
            refuse(wrong.message)


def _draw_number(knob: Knob, value: Any, around: Span | None, args: dict[str, Any]) -> None:
    """Draw a slider, or a field to type in where there is no span."""
    kind = int if knob.whole else float
    put(args["key"], None if value is None else kind(value), around)
    if around is not None:
        args |= {"min_value": kind(around.low), "max_value": kind(around.high)}
        st.slider(step=kind(around.step), format="%.6g", **args)
        return
    if knob.whole:
        args |= {"step": 1}
    else:
        args |= {"format": "%.6g"}
    if knob.optional:
        args |= {"value": None, "placeholder": "none"}
    # What is too large is refused in words; the field alone would only turn red.
    if knob.low is not None:
        args |= {"min_value": kind(knob.low)}
    st.number_input(**args)


def _span(knob: Knob, origin: Any, value: Any) -> Span | None:
    """Give the slider around what the number was at first, if the value is on it.

    What may be absent, and was, is typed, so that it can be taken back.
    """
    if value is None or knob.number is None or (knob.optional and origin is None):
        return None
    number = isinstance(origin, int | float) and not isinstance(origin, bool)
    found = span(knob, origin if number else knob.number)
    return found if found and found.low <= value <= found.high else None


def _turned(path: str, key: str) -> None:
    _take(path, st.session_state[key])


def _take(path: str, value: Any) -> None:
    """Take a new value; the curve that it belongs to comes to the front."""
    shown, lock = current(), current_lock()
    turned = turn(shown, path, value, lock, _refusal(shown))
    st.session_state[TURNED] = turned
    show(turned.shown)
    if lock is not None and turned.shown != shown:
        followed(turned.shown, lock)
    for field in curves(turned.shown.net()):
        if f"{path}.".startswith(f"{field}."):
            st.session_state[CURVE] = field


def _refusal(shown: Shown) -> Refusal | None:
    """Give the value that was refused last, as long as that network is on the screen."""
    turned: Turned | None = st.session_state.get(TURNED)
    return turned.refused if turned and turned.shown == shown else None
