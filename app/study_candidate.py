"""The candidates that are chosen, and one of them beside the spec that the study began with."""

from __future__ import annotations

import streamlit as st
from shared import refuse, show

from archgen import ArchError
from archgen.explorer.markdown import escaped
from archgen.explorer.studies import log_of
from archgen.explorer.trials import Opened, asked, beside, opened, strangers
from archgen.report.facts import MEANINGS, Facts
from archgen.study import Row, Study
from archgen.study.watch import Watch
from archgen.view import duration, figure
from archgen.view.colours import STYLES

KEY, KEPT = "trial", "studies:trial"


def key_of(watch: Watch, *what: object) -> str:
    """Name what the session keeps of a study: another study has its own."""
    return ":".join(["studies", watch.folder.name, *map(str, what)])


def chosen(facts: Facts) -> list[int]:
    """Give the numbers of the chosen candidates, from the address."""
    return asked(st.query_params.get(KEY, ""), facts.rows)[: len(STYLES)]


def choose(numbers: list[int]) -> None:
    """Put candidates into the address."""
    st.query_params[KEY] = ",".join(map(str, numbers[: len(STYLES)]))


def remember(study: str) -> None:
    """Keep a study's chosen candidates over page switches, which clear the address."""
    if KEY in st.query_params:
        st.session_state[KEPT] = study, st.query_params[KEY]
    elif KEPT in st.session_state and st.session_state[KEPT][0] == study:
        st.query_params[KEY] = st.session_state[KEPT][1]


def forget() -> None:
    """Choose no candidate."""
    st.query_params.pop(KEY, None)
    st.session_state.pop(KEPT, None)


def heard(key: str, numbers: list[int]) -> None:
    """Choose what was selected in a chart or table, if that is news.

    Args:
        key: Of the chart or table.
        numbers: Candidates selected in it now; none after it was drawn anew.
    """
    known = st.session_state.get(f"{key}:heard", [])
    st.session_state[f"{key}:heard"] = numbers
    if numbers and numbers != known:
        choose(numbers)
        st.rerun()


@st.cache_resource(max_entries=50, show_spinner="Counting")
def _opened(_study: Study, _row: Row, digest: str, values: str) -> Opened:
    """Open a candidate; its digest and values, and the study's digest, tell it from all others."""
    return opened(_study, _row)


def show_candidate(facts: Facts, watch: Watch) -> None:
    """Show one of the chosen candidates, if any: what is changed, figures, stages; and open it."""
    numbers = chosen(facts)
    if absent := strangers(st.query_params.get(KEY, ""), facts.rows):
        refuse(f"This study has no candidate {absent}.")
    if not numbers:
        return
    number = numbers[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(numbers) > 1:
            picked = st.segmented_control("Candidates that are chosen", numbers, default=number)
            number = picked if picked in numbers else number
        row = facts.rows[number]
        st.subheader(f"Candidate {number}: {row.state}", help=MEANINGS[row.state])
        if st.button("Close", type="tertiary", icon=":material/close:"):
            forget()
            st.rerun()
    st.text(_said(facts, row))
    try:
        found = _opened(facts.study, row, facts.study.net.digest(), str(row.values))
    except ArchError as error:
        st.error(escaped(f"It does not build: {error}"))
    else:
        _show_network(facts.study, row, found)
    log = log_of(watch.folder, number) if row.state in ("failed", "diverged", "memory") else ""
    if log:
        with st.expander("The end of its log", expanded=True):
            st.code(log, language=None)


def _said(facts: Facts, row: Row) -> str:
    """Say what became of a candidate on one line."""
    said = [f"{name} {figure(name, value)}" for name, value in row.scores.items()]
    if row.epochs:
        said.append(f"{row.epochs} of {facts.study.train.epochs} epochs")
    if row.seconds:
        said.append(f"trained for {duration(row.seconds)}")
    return ", ".join([*said, row.reason] if row.reason else said)


def _show_network(study: Study, row: Row, found: Opened) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Open in Explore", type="primary", icon=":material/account_tree:"):
            show(found.shown)
            st.switch_page("screens/explore.py")
        st.page_link(
            "screens/compare.py",
            label="Compare with the study's spec",
            icon=":material/compare_arrows:",
            query_params={"nets": [found.base.word(), found.shown.word()]},
        )
        st.download_button(
            "Spec (YAML)",
            found.net.dump(),
            f"{study.name}_{row.number}.yaml",
            "application/yaml",
            icon=":material/download:",
            on_click="ignore",
        )
    st.caption("Explore shows it alone; Compare has the study's spec beside it.")
    tables = beside(found.beside)
    st.caption("What is changed in the study's spec")
    st.dataframe(tables.changes, hide_index=True, alt="Values of the spec that differ")
    left, right = st.columns([2, 3])
    left.caption("Costs of one image")
    left.dataframe(tables.figures, hide_index=True, alt="Costs of the candidate and of the spec")
    right.caption("Stages")
    right.dataframe(tables.stages, hide_index=True, alt="Stages of the candidate and of the spec")
