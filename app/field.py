"""What a pixel of one map sees of another."""

from __future__ import annotations

import streamlit as st
from shared import draw_chart

from archgen import ArchError, Net
from archgen.analysis import coverage
from archgen.explorer import seen_map
from archgen.explorer.markdown import escaped
from archgen.ops import size

WIDTH = 600
"""Pixels of the map and its colours."""


def draw_field(net: Net, maps: list[str]) -> None:
    """Draw what the middle pixel of one map sees of another.

    Args:
        net: The network.
        maps: Paths of those rows of `stage_rows` that give a map.
    """
    left, right = st.columns([1, 2], gap="medium")
    of = left.selectbox("The middle pixel of", maps, index=len(maps) - 1, key="of")
    before = ["input", *maps[: maps.index(of)]]
    seen = left.selectbox("sees of", before, index=len(before) - 1, key="seen")
    try:
        found = coverage(net, of, seen)
    except ArchError as error:
        right.info(escaped(str(error)))
        return
    part = f"{found.density:.0%} of a field of {size(found.field.shape)}"
    left.caption(f"{found.seen:,} positions, {part}")
    with right:
        draw_chart(seen_map(found, of, seen), "seen_map", width=WIDTH)
