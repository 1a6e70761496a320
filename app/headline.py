"""What a network is, what it costs, and its stages."""

from __future__ import annotations

import streamlit as st

from archgen import Net
from archgen.explorer import Shown
from archgen.explorer.markdown import escaped
from archgen.ops import size
from archgen.view import CostRow, StageRow, mebibytes, short


def draw_head(net: Net, shown: Shown) -> None:
    """Draw what a network is called and where it comes from."""
    st.title(net.name)
    if net.paper is not None:
        link = f" [arXiv:{net.paper.arxiv}](https://arxiv.org/abs/{net.paper.arxiv})"
        st.markdown(escaped(net.paper.title) + (link if net.paper.arxiv else ""))
    changes = ", ".join(f"{path} = {value}" for path, value in shown.changes.items())
    st.caption(f"Input {size(net.input)}" + (f"; changed: {escaped(changes)}" if changes else ""))


def draw_figures(row: CostRow) -> None:
    """Draw the headline figures."""
    figures = {
        "Parameters": (short(row.params), "Learned scalars"),
        "MACs": (short(row.macs), "Multiply-accumulates of an image"),
        "Activations": (short(row.activations), "Scalars that its layers give for an image"),
        "Layers": (str(row.depth), "Convolutions and linear layers on the longest path"),
        "Receptive field": (
            f"{row.receptive_field:,} px" if row.receptive_field else "all",
            "Side of what a pixel of the last map sees",
        ),
        "Saved": (mebibytes(row.saved_bytes), "Kept for the backward pass, an image in float32"),
        "Peak": (mebibytes(row.peak_bytes), "Most activations that inference holds at once"),
    }
    with st.container(horizontal=True):
        for label, (value, said) in figures.items():
            st.metric(label, value, help=said, width="content")


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
                "share of MACs": row.share,
            }
            for row in rows
        ],
        hide_index=True,
        height="content",
        column_config={
            "parameters": st.column_config.NumberColumn(format="localized"),
            "MACs": st.column_config.NumberColumn(format="localized"),
            "share of MACs": st.column_config.ProgressColumn(format="percent"),
        },
        placeholder="",
        alt="The stages of the network",
    )
