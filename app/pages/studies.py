"""A search: its candidates, as they are written."""

from __future__ import annotations

import streamlit as st

st.title("Studies")
