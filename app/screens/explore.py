"""One network: its figures, diagram, spec and stages, and what changes along its depth."""

from __future__ import annotations

import streamlit as st
from choice import draw_choice
from diagram import draw_diagram
from editor import draft, draw_editor
from field import draw_field
from headline import draw_figures, draw_head, draw_stages
from shared import draw_chart, opened, refuse

from archgen import ArchError
from archgen.explorer import along_depth
from archgen.view import cost_row, depth_rows, stage_rows

editing = draft(opened())
shown = editing.shown
head, choice = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
with choice:
    draw_choice(shown)
try:
    with st.spinner("Counting"):
        net = shown.net()
        stages, units, costs = stage_rows(net), depth_rows(net), cost_row(net)
except ArchError as error:
    refuse(error)
    st.info("Mend the spec here, or choose another network.")
    draw_editor(editing)
    st.stop()
with head:
    draw_head(net, shown)
draw_figures(costs)
left, right = st.columns([2, 3], gap="medium")
with left:
    draw_editor(editing)
    if editing.error is not None:
        st.caption("The page shows the last network without a mistake.")
with right:
    draw_diagram(net)
draw_stages(stages)
st.subheader("Along the depth")
draw_chart(along_depth(units), "depth")
draw_field(shown.word(), [row.path for row in stages if len(row.shape) == 3])
