"""The searches that are running on this machine, and stopping one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from archgen.explorer import launch
from archgen.study.storage import RUNS


@st.fragment(run_every="2s")
def show_searches() -> None:
    """List the running searches, with the last line that each printed, and those begun here."""
    found = launch.running()
    st.subheader("Running now")
    if not found:
        st.caption("No search is running in studies/runs. The form below starts one.")
    for search in found:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _show(search)
    for folder in sorted(_begun().difference(search.folder for search in found)):
        st.text(f"{folder.name} has ended: {launch.said(folder)}")


def remember(study: str) -> None:
    """Show in this session what becomes of a search, even after it has ended."""
    _begun().add(RUNS / study)


def _begun() -> set[Path]:
    begun: set[Path] = st.session_state.setdefault("begun", set())
    return begun


@st.cache_resource
def _told() -> set[int]:
    """The processes that were told to stop: by a second time they would be cut off."""
    return set()


def _show(search: launch.Search) -> None:
    name = search.folder.name
    st.text(name, width=180)
    st.text(search.said or "It was started elsewhere, and prints there.", width="stretch")
    st.page_link("screens/studies.py", label="Watch", query_params={"study": name})
    if search.process in _told():
        st.text("stopping ...")
        return
    with st.popover("Stop"):
        st.write(
            "All finished candidates are kept, and those in training go on from their last epoch "
            "when the study is started again. Other searches are not touched."
        )
        if st.button("Stop it now", key=f"stop:{search.process}", type="primary"):
            _told().add(search.process)
            launch.stop(search)
            st.rerun(scope="fragment")
