"""How far a search is, and a look at its folder every two seconds."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from archgen.explorer import launch
from archgen.explorer.studies import folders, running, seconds_left, workers
from archgen.report.facts import Facts
from archgen.report.told import STATES
from archgen.study.report import gain
from archgen.study.watch import Stamp, Watch
from archgen.view import duration, figure

KEY = "studies:stamp"
SHOWN = 8
"""Candidates in training that have a bar of their own."""


@st.cache_resource(max_entries=8)
def watched(folder: str) -> Watch:
    """Give the one reader of a folder that all sessions share."""
    return Watch(Path(folder))


def show_standing(facts: Facts) -> None:
    """Show in a row how far the search is and its best."""
    left = seconds_left(facts)
    shown = [
        ("State", facts.state, f"The search {STATES[facts.state]}."),
        (
            "Trained",
            f"{facts.trained:,} of {facts.trials:,}",
            f"{len(facts.rows):,} were proposed, with those beyond a limit and repeated ones.",
        ),
        *[(f"Best {name}", *_best(facts, name)) for name in facts.study.score],
        (
            ("Training time", duration(facts.seconds), "Of all candidates together.")
            if left is None
            else ("Left, about", duration(left), "By the time that a candidate took so far.")
        ),
    ]
    with st.container(horizontal=True, gap="large"):
        for label, value, help_ in shown:
            st.metric(label, value, help=help_, width="content")


def _best(facts: Facts, name: str) -> tuple[str, str]:
    if not facts.best:
        return "none yet", "No candidate is complete yet."
    way = facts.study.score[name]
    row = max(facts.best, key=lambda row: gain(row, name, way))
    return figure(name, row.scores[name]), f"Candidate {row.number}."


@st.fragment(run_every="2s")
def wait_for(study: str | None) -> None:
    """Run the whole page again when a search can be read or has ended; None waits for any."""
    found = folders()
    if found if study is None else study in found or study not in begun():
        st.rerun()


def begun() -> set[str]:
    """The names of the folders that searches run in; one may have nothing to read yet."""
    return {search.folder.name for search in launch.running()}


@st.fragment(run_every="2s")
def follow(watch: Watch, stamp: Stamp, facts: Facts | None) -> None:
    """Show who trains what, and run the whole page again when there is something new to read.

    Args:
        watch: Of the study.
        stamp: From before it was read.
        facts: What was read; None if it could not be.
    """
    # Only where the timer calls: a search that writes faster would never let a page be drawn.
    if st.session_state.get(KEY) == stamp and watch.stamp() != stamp:
        st.rerun()
    st.session_state[KEY] = stamp
    rows = running(watch.folder, facts) if facts is not None else []
    if not rows or facts is None:
        return
    if facts.state != "running":
        st.caption(f"{len(rows)} interrupted: the next search of this study goes on with them.")
        return
    count = workers(facts)
    st.caption(f"{len(rows)} in training, by {count} worker{'s' if count > 1 else ''}")
    epochs = facts.study.train.epochs
    for column, row in zip(st.columns(min(SHOWN, len(rows))), rows, strict=False):
        last = f", {facts.watched} {figure(facts.watched, row.curve[-1])}" if row.curve else ""
        said = f"candidate {row.number}: epoch {row.epochs} of {epochs}{last}"
        column.progress(min(1.0, row.epochs / epochs), text=said)
