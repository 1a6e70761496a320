"""What a pixel of one map sees of another."""

from __future__ import annotations

import streamlit as st
from shared import draw_chart, network

from archgen import ArchError
from archgen.explorer import seen_map
from archgen.explorer.markdown import escaped
from archgen.explorer.seen import seen_by
from archgen.report.traces import Chart

WIDTH = 600
"""Pixels of the map and its colours."""


def draw_field(word: str, maps: list[str]) -> None:
    """Draw what the middle pixel of one map sees of another, once that is opened.

    Args:
        word: The network on the screen.
        maps: Paths of those rows of `stage_rows` that give a map.
    """
    if not maps:
        return
    section = st.expander("What a pixel sees", key="explore.field", on_change="rerun")
    if not section.open:
        return
    left, right = section.columns([1, 2], gap="medium")
    of = left.selectbox("The middle pixel of", maps, index=len(maps) - 1, key="explore.of")
    before = ["input", *maps[: maps.index(of)]]
    last = len(before) - 1
    seen = left.selectbox("sees of the map", before, index=last, key="explore.seen")
    try:
        chart = _chart(word, of, seen)
    except ArchError as error:
        right.info(escaped(str(error)))
        return
    left.caption(escaped(chart.said))
    with right:
        draw_chart(chart, "explore.seen_map", width=WIDTH)


@st.cache_resource(max_entries=16, show_spinner="Following a pixel")
def _chart(word: str, of: str, seen: str) -> Chart:
    return seen_map(seen_by(network(word), of, seen), of, seen)
