"""All candidates of a study in a table: sorted by a click, filtered by state and by a figure."""

from __future__ import annotations

from typing import Any

import streamlit as st
from study_candidate import heard

from archgen.explorer.trials import BEST, MARKS, columns, within
from archgen.report.facts import LABELS, Facts
from archgen.study import Row
from archgen.study.report import value_of
from archgen.study.watch import Watch

FORMATS = {"top1": "%.2f", "loss": "%.4f", "test top1": "%.2f", "seconds": "%.1f"}
HEIGHT = 460
"""Pixels."""


def show_table(facts: Facts, _: Watch) -> None:
    """Show the candidates that the filters let through; rows can be selected."""
    rows = _filtered(facts)
    table = columns(facts, rows)
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(LABELS.get(name), format=FORMATS.get(name, "compact"))
        for name in (*FORMATS, *facts.study.score, "params", "macs")
        if name in table
    }
    config["seconds"] = st.column_config.NumberColumn("time (s)", format=FORMATS["seconds"])
    event: Any = st.dataframe(
        table, height=HEIGHT, hide_index=True, column_config=config, placeholder="",
        key="candidates", on_select="rerun", selection_mode="multi-row",
        alt=f"{len(rows)} candidates",
    )  # fmt: skip
    st.caption(f"{len(rows):,} of {len(facts.rows):,} candidates. Select rows to see networks.")
    picked = [index for index in event["selection"]["rows"] if index < len(rows)]
    heard("candidates", [rows[index].number for index in picked])


def _filtered(facts: Facts) -> list[Row]:
    left, right = st.columns([6, 1], vertical_alignment="top")
    # No counts in the labels: with other labels Streamlit takes it for another filter.
    states = {f"{MARKS[state]} {state}": state for state in MARKS if state in facts.counts}
    only = left.pills(
        "Only", [BEST, *states], selection_mode="multi", wrap=True, label_visibility="collapsed"
    )
    leading = {row.number for row in facts.leading} if BEST in only else set()
    kept = {states[one] for one in only if one != BEST}
    rows = [r for r in facts.rows if not only or r.state in kept or r.number in leading]
    with right.popover("Between"):
        names = dict.fromkeys([*facts.study.score, "params", "macs", "depth"])
        name = st.selectbox("Score or cost", list(names))
        values = {v for row in rows if (v := value_of(row, name)) is not None}
        if len(values) < 2:
            st.caption("There is nothing to tell apart.")
            return rows
        low, high = min(values), max(values)
        shape = "compact" if high >= 1000 else None
        span = st.slider(name, low, high, (low, high), format=shape)
    return rows if span == (low, high) else within(rows, name, *span)
