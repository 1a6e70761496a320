"""What a network is, what it costs, its stages, and what changes along its depth."""

from __future__ import annotations

import streamlit as st
from shared import draw_chart, network

from archgen import Cost, Net
from archgen.explorer import Shown, along_depth, tiles
from archgen.explorer.markdown import escaped
from archgen.ops import size
from archgen.report.traces import Chart
from archgen.view import StageRow, depth_rows, figure_pairs, stage_rows


def draw_head(net: Net, shown: Shown) -> None:
    """Draw what a network is called and where it comes from."""
    st.title(escaped(net.name))
    if net.paper is not None:
        link = f" [arXiv:{net.paper.arxiv}](https://arxiv.org/abs/{net.paper.arxiv})"
        st.markdown(escaped(net.paper.title) + (link if net.paper.arxiv else ""))
    changes = ", ".join(f"{path} = {value}" for path, value in shown.changes.items())
    st.caption(f"Input {size(net.input)}" + (f"; changed: {escaped(changes)}" if changes else ""))


def draw_figures(now: Cost, before: Cost) -> None:
    """Draw what a network costs, and how far that is from what it cost."""
    with st.container(horizontal=True, gap="xsmall"):
        for tile in tiles(figure_pairs(now, before)):
            st.metric(
                tile.label,
                tile.value,
                tile.change or None,
                help=tile.help,
                delta_color="off",
                delta_arrow="off",
                delta_description=tile.before and f"from {tile.before}",
                width=150,
            )


@st.cache_resource(max_entries=16, show_spinner="Counting")
def stages(word: str) -> list[StageRow]:
    """Give a network's stages; they are not to be changed."""
    return stage_rows(network(word))


@st.cache_resource(max_entries=16, show_spinner="Drawing")
def _depth(word: str) -> Chart:
    return along_depth(depth_rows(network(word)))


def draw_depth(word: str) -> None:
    """Draw what changes along the depth of a network."""
    draw_chart(_depth(word), "explore.depth")


def draw_stages(rows: list[StageRow]) -> None:
    """Draw the table of stages."""
    st.dataframe(
        [
            {
                "path": row.path,
                "block": row.block,
                "output": size(row.shape),
                "stride": row.stride or None,
                "parameters": row.params,
                "MACs": row.macs,
                "share of MACs": 100 * row.share,
            }
            for row in rows
        ],
        hide_index=True,
        height="content",
        column_config={
            "parameters": st.column_config.NumberColumn(format="localized"),
            "MACs": st.column_config.NumberColumn(format="localized"),
            "share of MACs": st.column_config.ProgressColumn(
                format="%.1f%%", min_value=0, max_value=100
            ),
        },
        placeholder="",
        alt="The stages of the network",
    )
