"""One network: its figures, stages, diagram and spec."""

from __future__ import annotations

import streamlit as st
from diagram import draw_diagram
from shared import current

from archgen import ArchError, cost

shown = current()
try:
    net = shown.net()
    st.title(net.name)
    st.metric("Parameters", f"{cost(net).params:,}")
    draw_diagram(net)
except ArchError as error:
    st.error(str(error))
