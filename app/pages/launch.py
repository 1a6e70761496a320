"""A search that is started from here."""

from __future__ import annotations

import streamlit as st

st.title("Launch")
