"""One network with its numbers as controls."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from controls import draw_controls
from downloads import draw_downloads
from headline import draw_figures
from hold import draw_hold, opened_lock
from outcome import draw_changes, draw_curves
from shared import costs, network, opened, refuse, show

from archgen import ArchError

shown = opened()
base = replace(shown, changes={})
try:
    before = network(base.word())
    net = network(shown.word())
except ArchError as error:
    refuse(error)
    with st.container(horizontal=True):
        if shown.changes:
            st.button("Undo all changes", icon=":material/undo:", on_click=show, args=(base,))
        st.page_link("screens/explore.py", label="Choose another network")
    st.stop()

st.set_page_config(page_title=f"{net.name} · Turn knobs · archgen")
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.title(net.name, width="content")
    st.page_link("screens/explore.py", label="Choose another network", icon=":material/arrow_back:")
lock = opened_lock(net)
left, right = st.columns([2, 3], gap="medium")
with left:
    draw_hold(net, shown, lock)
    with st.container(height=640, border=True):
        draw_controls(net, before, shown, lock)
with right:
    draw_figures(costs(shown.word()), costs(base.word()))
    draw_curves(net, before)
    draw_changes(shown, base)
    draw_downloads(net, "knobs")
