"""A search that has nothing to show yet, or that has ended before it was complete."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from shared import refuse

from archgen.explorer import launch
from archgen.explorer.markdown import escaped
from archgen.report.facts import Facts
from archgen.study.storage import RUNS


def show_starting(study: str) -> None:
    """Say of a search that runs why there is no candidate yet."""
    st.info(
        escaped(
            f"{study} is starting: it looks for its devices and data, which can take half a "
            "minute. This page follows it."
        )
    )


def show_ending(folder: Path, facts: Facts) -> None:
    """Say why a search ended, as far as it told, and how it goes on."""
    last = launch.said(folder)
    if last.startswith("error:"):
        refuse(f"The search ended with an {last}")
    elif not facts.rows:
        st.info("The search ended before it could write a candidate.")
    st.page_link(
        "screens/launch.py",
        label="Go on with it",
        icon=":material/play_circle:",
        query_params={"space": str(RUNS / folder.name)},
    )
