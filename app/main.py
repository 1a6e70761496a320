"""The explorer: screens that draw what archgen computes.

They are not in a folder called `pages`, which Streamlit would run by itself, without this file.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PAGES = [
    st.Page("screens/explore.py", title="Explore", icon=":material/account_tree:", default=True),
    st.Page("screens/knobs.py", title="Turn knobs", icon=":material/tune:"),
    st.Page("screens/compare.py", title="Compare", icon=":material/compare_arrows:"),
    st.Page("screens/studies.py", title="Studies", icon=":material/scatter_plot:"),
    st.Page("screens/launch.py", title="Start a search", icon=":material/play_circle:"),
]

# Without a picture of its own, each page would fetch one from the network.
st.set_page_config(page_icon=Path(__file__).with_name("icon.svg"), layout="wide")
st.html(Path(__file__).with_name("page.css"))
page = st.navigation(PAGES, position="top")
st.set_page_config(page_title=f"{page.title} · archgen")
page.run()
