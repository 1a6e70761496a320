"""All candidates of a study in a table: sorted by a click, filtered by state and by a figure."""

from __future__ import annotations

from typing import Any

import streamlit as st
from study_candidate import heard

from archgen.explorer.trials import MARKS, columns, within
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
        for name in (*FORMATS, *(cost for row in facts.rows[:1] for cost in row.costs))
        if name in table
    }
    config["seconds"] = st.column_config.NumberColumn("time (s)", format=FORMATS["seconds"])
    event: Any = st.dataframe(
        table, height=HEIGHT, hide_index=True, column_config=config, key="candidates",
        placeholder="",
        on_select="rerun", selection_mode="multi-row", alt=f"{len(rows)} candidates",
    )  # fmt: skip
    st.caption(f"{len(rows):,} of {len(facts.rows):,} candidates. Select rows to see networks.")
    picked = [index for index in event["selection"]["rows"] if index < len(rows)]
    heard("candidates", [rows[index].number for index in picked])


def _filtered(facts: Facts) -> list[Row]:
    left, right = st.columns([6, 1], vertical_alignment="top")
    states = left.pills(
        "Only", list(facts.counts), selection_mode="multi", wrap=True, label_visibility="collapsed",
        format_func=lambda state: f"{MARKS[state]} {state} ({facts.counts[state]:,})",
    )  # fmt: skip
    rows = [row for row in facts.rows if not states or row.state in states]
    with right.popover("Between"):
        names = dict.fromkeys([*facts.study.score, "params", "macs", "depth"])
        name = st.selectbox("Score or cost", list(names))
        values = {v for row in rows if (v := value_of(row, name)) is not None}
        if len(values) < 2:
            st.caption("There is nothing to tell apart.")
            return rows
        low, high = min(values), max(values)
        span = st.slider(
            name,
            low,
            high,
            (low, high),
            format="compact" if high >= 1000 else None,
        )
    return rows if span == (low, high) else within(rows, name, *span)
