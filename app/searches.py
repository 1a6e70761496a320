"""The searches that are running on this machine, and stopping one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from archgen import ArchError
from archgen.explorer import launch
from archgen.explorer.markdown import escaped
from archgen.study.storage import RUNS

STARTED = "launch:started"


@st.fragment(run_every="2s")
def show_searches() -> None:
    """List the running searches, with the last line that each printed, and those begun here."""
    found = launch.running()
    _told().intersection_update(map(_named, found))
    st.subheader("Running now")
    if not found:
        st.caption("No search is running in studies/runs. The form below starts one.")
    for search in found:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _show(search)
    for folder in sorted(_begun().difference(search.folder for search in found)):
        said = launch.ended(folder) or "it printed nothing"
        st.text(f"{folder.name} is not running: {said}")


def remember(study: str) -> None:
    """Show in this session what becomes of a search, even after it has ended."""
    _begun().add(RUNS / study)
    st.session_state[STARTED] = study


def show_started() -> None:
    """Say once, when the running searches were listed anew, which one was started."""
    study = st.session_state.pop(STARTED, None)
    if study is None:
        return
    if RUNS / study in [search.folder for search in launch.running()]:
        st.success(f"{study} is searched by a process of its own: this page may be closed.")
    else:
        st.info(escaped(f"{study} has ended: {launch.ended(RUNS / study)}"))
    st.page_link("screens/studies.py", label="Watch it", query_params={"study": study})


def _begun() -> set[Path]:
    begun: set[Path] = st.session_state.setdefault("launch:begun", set())
    return begun


@st.cache_resource
def _told() -> set[tuple[Path, int]]:
    """The folders and processes that were told to stop: a second time would cut them off."""
    return set()


def _show(search: launch.Search) -> None:
    name = search.folder.name
    st.text(name, width=180)
    st.text(search.said or "It was started elsewhere, and prints there.", width="stretch")
    st.page_link("screens/studies.py", label="Watch", query_params={"study": name})
    if _named(search) in _told():
        st.text("stopping ...")
        return
    with st.popover("Stop"):
        st.write(
            "All finished candidates are kept, and those in training go on from their last epoch "
            "when the study is started again. Other searches are not touched."
        )
        key = f"launch:stop:{search.process}"
        st.button("Stop it now", key=key, type="primary", on_click=_stop, args=(search,))


def _stop(search: launch.Search) -> None:
    try:
        if launch.stop(search):
            _told().add(_named(search))
    except ArchError as error:
        st.toast(escaped(str(error)), icon=":material/error:", duration="infinite")


def _named(search: launch.Search) -> tuple[Path, int]:
    return search.folder.resolve(), search.process
