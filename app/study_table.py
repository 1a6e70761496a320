"""All candidates of a study in a table: sorted by a click, filtered by state and by a figure."""

from __future__ import annotations

from typing import Any

import streamlit as st
from study_candidate import chosen, heard, key_of

from archgen.explorer.trials import (
    BEST,
    MARKS,
    Ends,
    bounds,
    closed,
    columns,
    ends_of,
    kept,
    marked,
    within,
)
from archgen.report.facts import LABELS, Facts
from archgen.study import Row
from archgen.study.watch import Watch

FORMATS = {"top1": "%.2f", "loss": "%.4f", "test top1": "%.2f", "seconds": "%.1f"}
HEIGHT = 460
"""Pixels."""


def show_table(facts: Facts, watch: Watch) -> None:
    """Show the candidates that the filters let through; rows can be selected."""
    rows = _filtered(facts, watch)
    table = columns(facts, rows)
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(LABELS.get(name), format=FORMATS.get(name, "compact"))
        for name in (*FORMATS, *facts.study.score, "params", "macs")
        if name in table
    }
    config["seconds"] = st.column_config.NumberColumn("time (s)", format=FORMATS["seconds"])
    numbers = [row.number for row in rows]
    key = _key(watch, numbers)
    ticked = [index for index, number in enumerate(numbers) if number in chosen(facts)]
    if key not in st.session_state:  # it is drawn anew, with ticks that no one has just made
        st.session_state[f"{key_of(watch, 'candidates')}:heard"] = [numbers[i] for i in ticked]
    event: Any = st.dataframe(
        table, height=HEIGHT, hide_index=True, column_config=config, placeholder="",
        key=key, on_select="rerun", selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        alt=f"{len(rows)} candidates",
    )  # fmt: skip
    st.caption(f"{len(rows):,} of {len(facts.rows):,} candidates. Select rows to see networks.")
    picked = [numbers[index] for index in event["selection"]["rows"] if index < len(rows)]
    heard(key_of(watch, "candidates"), picked)


def _key(watch: Watch, numbers: list[int]) -> str:
    """Key the table anew where its rows' places are not those of other candidates before.

    A selection is of places: it must not go over to what a filter, or a training that ends, puts
    there. Further candidates at the end leave it.
    """
    drawn = key_of(watch, "drawn")
    before, tables = st.session_state.get(drawn, ([], 0))
    if numbers[: len(before)] != before:
        tables += 1
    st.session_state[drawn] = numbers, tables
    return key_of(watch, "candidates", tables)


def _filtered(facts: Facts, watch: Watch) -> list[Row]:
    left, right = st.columns([6, 1], vertical_alignment="top")
    # No counts in the labels: with other labels Streamlit takes it for another filter.
    states = [marked(state) for state in MARKS if state in facts.counts]
    only = left.pills(
        "Only", [BEST, *states], selection_mode="multi", wrap=True, label_visibility="collapsed",
        key=key_of(watch, "only"),
    )  # fmt: skip
    with right.popover("Filter by a figure"):
        return within(kept(facts, only), *_between(facts, watch))


def _between(facts: Facts, watch: Watch) -> tuple[str, Ends]:
    """Ask for a score or cost, and what it shall lie between."""
    names = dict.fromkeys([*facts.study.score, "params", "macs", "depth"])
    name = st.selectbox("Score or cost", list(names), key=key_of(watch, "figure"))
    limits = bounds(facts.rows, name)
    if limits is None:
        st.caption("There is nothing to tell apart.")
        return name, (None, None)
    chosen = key_of(watch, "between", name)
    # With other bounds Streamlit takes it for another slider: that begins where this one was.
    key = key_of(watch, "between", name, *limits)
    begin = closed(st.session_state.get(chosen, (None, None)), limits)
    least, greatest = limits
    shape = "compact" if greatest >= 1000 else "%.4g"
    span = st.slider(name, least, greatest, begin, key=key, format=shape)
    ends = st.session_state[chosen] = ends_of(span, limits)
    return name, ends
