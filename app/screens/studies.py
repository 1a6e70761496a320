"""A search: its candidates, as they are written."""

from __future__ import annotations

import streamlit as st
from shared import refuse
from study_candidate import forget, remember, show_candidate
from study_ending import show_ending, show_starting
from study_live import begun, follow, show_standing, wait_for, watched
from study_views import show_view

from archgen import ArchError
from archgen.explorer.markdown import escaped
from archgen.explorer.studies import facts_now, folders

KEY = "study"
CHOICE, LAST = "studies:choice", "studies:last"


def _choose() -> None:
    """Show another study; the candidates in the address are not its own."""
    st.query_params[KEY] = st.session_state[CHOICE]
    forget()


head, choice = st.columns([2, 3], vertical_alignment="bottom")
head.title("Studies")
found = folders()
asked = st.query_params.get(KEY) or st.session_state.get(LAST)
if asked and asked not in found and asked in begun():
    show_starting(asked)
    wait_for(asked)
    st.stop()
if not found:
    st.info("Nothing was searched in studies/runs of this folder yet.")
    st.page_link("screens/launch.py", label="Start a search", icon=":material/play_circle:")
    st.text("or in a terminal: archgen search --space pyramid")
    wait_for(None)
    st.stop()
if asked and asked not in found:
    st.warning(escaped(f"No study {asked!r} was searched here; the one written last is shown."))
name = asked if asked in found else next(iter(found))
if asked not in (None, name):
    forget()  # of another study
remember(name)
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
if facts is not None and facts.state == "stopped":
    show_ending(watch.folder, facts)
if facts is not None and not facts.rows:
    if facts.state == "running":
        show_starting(name)
elif facts is not None:
    show_view(facts, watch)
    show_candidate(facts, watch)
