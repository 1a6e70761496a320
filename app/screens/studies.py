"""A search: its candidates, as they are written."""

from __future__ import annotations

import streamlit as st
from shared import refuse
from study_candidate import KEY as TRIAL
from study_candidate import show_candidate
from study_live import follow, show_standing, wait_for_first, watched
from study_views import show_view

from archgen import ArchError
from archgen.explorer.markdown import escaped
from archgen.explorer.studies import facts_now, folders

KEY = "study"
CHOICE, LAST = "studies:choice", "studies:last"


def _choose() -> None:
    """Show another study; the candidates in the address are not its own."""
    st.query_params[KEY] = st.session_state[CHOICE]
    st.query_params.pop(TRIAL, None)


head, choice = st.columns([2, 3], vertical_alignment="bottom")
head.title("Studies")
found = folders()
if not found:
    st.info("Nothing was searched in studies/runs of this folder yet.")
    st.page_link("screens/launch.py", label="Start a search", icon=":material/play_circle:")
    st.text("or in a terminal: archgen search --space pyramid")
    wait_for_first()
    st.stop()
asked = st.query_params.get(KEY) or st.session_state.get(LAST)
if asked and asked not in found:
    st.warning(escaped(f"No study {asked!r} was searched here; the one written last is shown."))
name = asked if asked in found else next(iter(found))
if name != st.query_params.get(KEY):
    st.query_params.pop(TRIAL, None)  # of another study
st.session_state[CHOICE] = st.session_state[LAST] = st.query_params[KEY] = name
choice.selectbox("Study", sorted(found), key=CHOICE, on_change=_choose)
watch = watched(str(found[name]))
stamp = watch.stamp()
facts = None
try:
    with st.spinner("Reading the journal", show_time=True):
        facts = facts_now(watch)
except ArchError as error:
    refuse(error)
    st.write(
        "Nothing is changed from here. `archgen studies` lists all searches; a study whose folder "
        "is moved away can be searched anew."
    )
if facts is not None:
    show_standing(facts)
follow(watch, stamp, facts)
if facts is not None and not facts.rows:
    st.info(
        "No candidate is written yet. If nothing runs, the search ended before it could write: "
        "the same command begins again."
    )
elif facts is not None:
    show_view(facts, watch)
    show_candidate(facts, watch)
