"""A search that is started from here: a process of its own, which outlives this page."""

from __future__ import annotations

import streamlit as st
from searches import remember, show_searches, show_started
from settings import Places
from shared import refuse
from study_form import ask_numbers, choose

from archgen import ArchError, yamlfile
from archgen.explorer import launch
from archgen.explorer.markdown import escaped
from archgen.explorer.settings import nearest

st.title("Start a search")
show_searches()
st.subheader("A new one, or one to go on with")
try:
    key, text = choose()
    written = launch.checked(text, {})
except ArchError as error:
    refuse(error)
    st.stop()

places: Places = {}
study = None
try:
    study = launch.checked(text, ask_numbers(written, f"launch:{key}", places))
except ArchError as error:
    if (near := nearest(error.path, places)) is not None:
        places[near].markdown(f":red[{escaped(str(error))}]")
    refuse(error)
else:
    for change in study.changes:
        st.text(change)
    with st.expander("The study as it will run"):
        st.code(yamlfile.dump(study.data()), language="yaml")

workers, device, begin = st.columns(3, vertical_alignment="bottom")
side_by_side = workers.number_input(
    "Workers", 1, 256, None, placeholder="one a GPU, or one a CPU core",
    help="Candidates trained side by side; the CPU's cores are shared out among them.",
)  # fmt: skip
where = device.selectbox(
    "Device", launch.devices(), accept_new_options=True,
    help="auto, cpu, cuda (all of them), cuda:N or mps. Listed are those that seem to be here.",
)  # fmt: skip
pressed = begin.button(
    "Start", type="primary", icon=":material/play_arrow:", width="stretch", disabled=study is None
)
if pressed and study is not None:
    try:
        with st.spinner("The search is starting: it looks for its devices", show_time=True):
            launch.start(study, workers=side_by_side, device=where)
    except ArchError as error:
        refuse(error)
    else:
        remember(study.name)
        st.rerun()
show_started()
