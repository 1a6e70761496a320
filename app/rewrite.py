"""A column of the spec written in another way: as a list, as a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from shared import refuse

from archgen.explorer import Refusal, curves, forms
from archgen.spec import Net

FIELD, FORM = "knobs.rewritten field", "knobs.rewritten form"


def draw_rewrite(
    net: Net, node: str, refused: Refusal | None, take: Callable[[str, Any], None]
) -> None:
    """Draw what writes one field of a stack otherwise.

    Args:
        net: The network on the screen.
        node: Whose fields.
        refused: What was refused last, if anything was.
        take: Told the field's path and its new value.
    """
    fields = {path: each for path, each in curves(net).items() if path.startswith(f"{node}.")}
    if not fields or net.nodes[node].streams:  # columns reach over streams that do not run, too
        return
    with st.expander("Write a number of each unit as …", icon=":material/show_chart:"):
        if st.session_state.get(FIELD) not in fields:
            st.session_state[FIELD] = next(
                (path for path in fields if "width" in path), next(iter(fields))
            )
        st.selectbox("Number", fields, key=FIELD)
        ways = forms(fields[st.session_state[FIELD]])
        if st.session_state.get(FORM) not in ways:
            st.session_state[FORM] = "additive" if "additive" in ways else "list"
        st.selectbox("Written as", ways, key=FORM)
        path, value = st.session_state[FIELD], ways[st.session_state[FORM]]
        st.button("Write it so", on_click=take, args=(path, value))
        if refused is not None and refused.path in fields:
            refuse(refused.message)
