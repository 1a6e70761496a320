"""The explorer: pages that draw what archgen computes."""

from __future__ import annotations

import streamlit as st

PAGES = [
    st.Page("pages/explore.py", title="Explore", icon=":material/account_tree:", default=True),
    st.Page("pages/knobs.py", title="Turn knobs", icon=":material/tune:"),
    st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
    st.Page("pages/studies.py", title="Studies", icon=":material/scatter_plot:"),
    st.Page("pages/launch.py", title="Start a search", icon=":material/play_circle:"),
]

st.set_page_config(page_title="archgen", layout="wide")
st.navigation(PAGES).run()
