"""One network: its figures, stages, diagram and spec."""

from __future__ import annotations

import streamlit as st
from shared import current

from archgen import ArchError, cost

shown = current()
try:
    net = shown.net()
    st.title(net.name)
    st.metric("Parameters", f"{cost(net).params:,}")
except ArchError as error:
    st.error(str(error))
