"""Two to six networks side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import streamlit as st
from entrants import chosen, draw_choice, measured, preset

from archgen import ArchError
from archgen.explorer.compared import (
    COUNTS,
    MATCHES,
    Entry,
    Row,
    figure_rows,
    inputs_differ,
    labelled,
    spec_rows,
    stage_table,
)
from archgen.explorer.markdown import escaped
from archgen.explorer.overlaid import CURVES, along, ratios
from archgen.explorer.presets import PRESETS, Preset
from archgen.report.traces import Chart

T = TypeVar("T", bound=str)


def entries(words: Sequence[str]) -> dict[str, Entry]:
    """Count the networks; what cannot be says why."""
    found = []
    for word in words:
        try:
            found.append(measured(word))
        except ArchError as error:
            st.error(str(error))
    return labelled(found)


def table(rows: Sequence[Row], alt: str) -> None:
    """Draw rows whose first column is a name and whose others are figures."""
    first, *others = rows[0]
    columns = {first: st.column_config.TextColumn(pinned=True)}
    columns |= {name: st.column_config.TextColumn(alignment="right") for name in others}
    st.dataframe(rows, hide_index=True, height="content", column_config=columns, alt=alt)


def draw(chart: Chart, key: str) -> None:
    """Draw a figure."""
    figure = {"data": chart.data, "layout": chart.layout}
    st.plotly_chart(figure, alt=chart.said, key=key, width="stretch")


def pick(label: str, options: Mapping[T, str], key: str) -> T:
    """Draw a choice of one; it stands in the address."""
    return st.segmented_control(
        label, options, format_func=options.__getitem__, key=key, default=next(iter(options)),
        required=True, bind="query-params", persist_state="session",
    )  # fmt: skip


def draw_claims(made: Preset) -> None:
    """Draw what a paper says of its comparison, and what of it holds."""
    st.markdown(made.claim)
    rows = [
        {
            "claim": row.claim,
            "published": row.says,
            "computed": row.computed,
            "holds": "yes" if row.holds else f"no: {row.reason}",
        }
        for row in claims(made)
    ]
    with st.expander(f"What of it can be counted: {len(rows)} claims"):
        st.table(rows, hide_index=True)


claims = st.cache_data(max_entries=len(PRESETS))(Preset.claims)


def draw_all(found: Mapping[str, Entry]) -> None:
    """Draw two networks or more."""
    if warning := inputs_differ(found):
        st.warning(escaped(warning))
    st.subheader("Figures")
    table(figure_rows(found), "Figures of each network")
    draw(ratios(found), "ratios")
    st.subheader("Along depth")
    draw(along(found, pick("Draw", CURVES, "curve")), "along")
    st.subheader("Stage by stage")
    left, right = st.columns(2)
    with left:
        match = pick("Rows", MATCHES, "rows")
    with right:
        count = pick("Count", COUNTS, "count")
    table(stage_table(found, match, count), "Stages of each network")
    st.subheader("What the specs say differently")
    if rows := spec_rows(found):
        table(rows, "Values of the specs that differ")
    else:
        st.info("Nothing but names: the specs give one network.")


st.title("Compare")
words = chosen()
draw_choice(words)
if made := preset(words):
    draw_claims(made)
found = entries(words)
if len(found) > 1:
    draw_all(found)
else:
    st.info("Choose a second network, or one of the papers' comparisons.")
