"""One network: its figures, diagram, spec and stages, and what changes along its depth."""

from __future__ import annotations

import streamlit as st
from choice import draw_choice
from diagram import draw_diagram
from downloads import draw_downloads
from editor import draft, draw_editor
from field import draw_field
from headline import draw_depth, draw_figures, draw_head, draw_stages, stages
from shared import costs, network, opened, refuse

from archgen import ArchError

editing = draft(opened())
shown = editing.shown
word = shown.word()
head, choice = st.columns(2, gap="medium", vertical_alignment="bottom")
with choice:
    draw_choice(shown)
try:
    net, cost = network(word), costs(word)
except ArchError as error:
    refuse(error)
    if editing.text:
        st.info("Mend the spec here, or choose another network.")
        draw_editor(editing)
    else:
        st.info("Choose another network.")
    st.stop()
st.set_page_config(page_title=f"{net.name} · Explore · archgen")
with head:
    draw_head(net, shown)
draw_figures(cost, cost)
left, right = st.columns(2, gap="medium")
with left:
    draw_editor(editing)
    if editing.error is not None:
        st.caption("The page shows the last network without a mistake.")
with right:
    draw_diagram(word)
draw_downloads(net, "explore")
draw_stages(stages(word))
st.subheader("Along the depth")
draw_depth(word)
draw_field(word, [row.path for row in stages(word) if len(row.shape) == 3])
