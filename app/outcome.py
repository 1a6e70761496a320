"""What comes of turning a network's numbers: curves and changes."""

from __future__ import annotations

import streamlit as st
from shared import draw_chart, show

from archgen.explorer import Shown, changes, curve_chart, curves
from archgen.explorer.markdown import escaped
from archgen.spec import Net
from archgen.view import plain

CURVE = "knobs.curve"
"""Key of the control that chooses a curve."""


def draw_curves(net: Net, base: Net) -> None:
    """Draw the numbers of each unit, one field of the spec at a time."""
    now, before = curves(net), curves(base)
    fields = [path for path in now if not (now[path].flat and before.get(path, now[path]).flat)]
    if not fields:
        st.caption("No number of this network differs from unit to unit.")
        return
    if st.session_state.get(CURVE) not in fields:
        st.session_state[CURVE] = next((path for path in fields if "width" in path), fields[0])
    st.segmented_control(
        "Number of each unit",
        fields,
        required=True,
        key=CURVE,
        wrap=True,
        label_visibility="collapsed",
    )
    path = st.session_state[CURVE]
    was = before.get(path)
    chart = curve_chart(now[path], was if was != now[path] else None)
    draw_chart(chart, "knobs.units")
    st.caption(escaped(now[path].means))


def draw_changes(shown: Shown, base: Shown) -> None:
    """List what was turned, with a way back."""
    if not shown.changes:
        st.caption("Nothing is turned yet. The address holds all that you turn: copy it to share.")
        return
    rows = [
        {"number": path, "before": plain(before), "now": plain(now)}
        for path, before, now in changes(shown)
    ]
    st.dataframe(rows, hide_index=True, alt="What was turned")
    st.button("Undo all changes", icon=":material/undo:", on_click=show, args=(base,))
