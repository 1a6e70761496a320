"""A search that is started from here: a process of its own, which outlives this page."""

from __future__ import annotations

import streamlit as st
from searches import remember, show_searches
from shared import refuse
from study_form import ask_numbers, choose

from archgen import ArchError, yamlfile
from archgen.explorer import launch

st.title("Start a search")
show_searches()
st.subheader("A new one, or one to go on with")
try:
    key, text = choose()
    study = launch.checked(text, ask_numbers(launch.checked(text, {}), f"launch:{key}"))
except ArchError as error:
    refuse(error)
    st.stop()

for change in study.changes:
    st.text(change)
with st.expander("The study as it will run"):
    st.code(yamlfile.dump(study.data()), language="yaml")
workers, device, begin = st.columns(3, vertical_alignment="bottom")
side_by_side = workers.number_input(
    "Workers", 1, 256, None, placeholder="one a GPU, or one a CPU core",
    help="Candidates trained side by side; the CPU's cores are shared out among them.",
)  # fmt: skip
where = device.text_input("Device", "auto", help="auto, cpu, cuda, cuda:N or mps.")
if begin.button("Start", type="primary", icon=":material/play_arrow:", width="stretch"):
    try:
        with st.spinner("The search is starting ..."):
            said = launch.start(study, workers=side_by_side, device=where)
    except ArchError as error:
        refuse(error)
        st.stop()
    remember(study.name)
    st.success(f"{study.name} is searched by a process of its own: this page may be closed.")
    st.text(said)
    st.page_link("screens/studies.py", label="Watch it", query_params={"study": study.name})
