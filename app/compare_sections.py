"""What page Compare shows of its networks, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import streamlit as st
from shared import draw_chart

from archgen.explorer.compared import COUNTS, Row, figure_rows, spec_rows, stage_table
from archgen.explorer.entries import Entry, inputs_differ
from archgen.explorer.markdown import escaped
from archgen.explorer.measures import MEASURES
from archgen.explorer.overlaid import along
from archgen.explorer.presets import PRESETS, Preset
from archgen.explorer.ratios import ratios
from archgen.view import titled
from archgen.view.words import capital

T = TypeVar("T", bound=str)


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
        for row in _claims(made)
    ]
    hold = sum(row["holds"] == "yes" for row in rows)
    with st.expander(f"What can be counted of it: {hold} of {len(rows)} claims hold"):
        st.table(rows, hide_index=True, alt=f"What is claimed in {made.title}, and what holds")


def draw_figures(found: Mapping[str, Entry]) -> None:
    """Draw what the networks cost, and how many times the first's that is."""
    if warning := inputs_differ(found):
        st.warning(escaped(warning))
    st.subheader("Figures")
    _table(figure_rows(found), "Figures of each network")
    st.caption("Memory: of one image, in float32.")
    draw_chart(ratios(found), "compare_ratios")


def draw_depth(found: Mapping[str, Entry]) -> None:
    """Draw the networks' curves over one another."""
    st.subheader("Along the depth")
    names = {what: capital(each.name) for what, each in MEASURES.items()}
    draw_chart(along(found, MEASURES[_pick("Draw", names, "compare_curve")]), "compare_along")


def draw_stages(found: Mapping[str, Entry]) -> None:
    """Draw where the networks' costs are."""
    st.subheader("Where it goes")
    count = _pick("Count", {what: titled(what) for what in COUNTS}, "compare_count")
    st.caption("By resolution: all stages of one stride together.")
    _table(stage_table(found, "stride", count), "What each network spends at each resolution")
    st.caption("By stage: those of one path in a row.")
    _table(stage_table(found, "path", count), "Stages of each network")


def draw_specs(found: Mapping[str, Entry]) -> None:
    """Draw what decides the networks and is not the same in all."""
    st.subheader("What the specs say differently")
    if rows := spec_rows(found):
        _table(rows, "Values of the specs that differ")
    else:
        st.info("Nothing but names: the specs give one network.")


_claims = st.cache_data(max_entries=len(PRESETS))(Preset.claims)


def _table(rows: Sequence[Row], alt: str) -> None:
    """Draw rows whose first column is a name and whose others are figures, briefly headed."""
    columns = {}
    for place, name in enumerate(rows[0]):
        heading = name.rpartition(": ")[2]
        widest = max(map(len, [heading, *(row[name] for row in rows)]))
        columns[name] = st.column_config.TextColumn(
            heading, pinned=not place, alignment="right" if place else "left", width=32 + 7 * widest
        )
    st.dataframe(rows, hide_index=True, height="content", column_config=columns, alt=alt)


def _pick(label: str, options: Mapping[T, str], key: str) -> T:
    """Draw a choice of one; it stands in the address."""
    return st.segmented_control(
        label, options, format_func=options.__getitem__, key=key, default=next(iter(options)),
        required=True, bind="query-params", persist_state="session",
    )  # fmt: skip
