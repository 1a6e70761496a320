"""One network with its numbers as controls."""

from __future__ import annotations

import streamlit as st

st.title("Knobs")
