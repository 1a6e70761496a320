"""Two to six networks side by side."""

from __future__ import annotations

import streamlit as st
from compare_choice import chosen, draw_choice, measured, preset
from compare_sections import draw_claims, draw_depth, draw_figures, draw_specs, draw_stages
from shared import opened, refuse

from archgen import ArchError
from archgen.explorer.entries import labelled

st.title("Compare")
opened()
words = chosen()
draw_choice(words)
if made := preset(words):
    draw_claims(made)
entries = []
for word in words:
    try:
        entries.append(measured(word))
    except ArchError as error:
        refuse(error)
if len(entries) > 1:
    found = labelled(entries)
    draw_figures(found)
    draw_depth(found)
    draw_stages(found)
    draw_specs(found)
else:
    st.info("Choose a second network, or one of the papers' comparisons.")
