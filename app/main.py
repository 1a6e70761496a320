"""The explorer: one network's figures, stages, diagram and spec. Draws what archgen computes."""

from __future__ import annotations

import streamlit as st

from archgen import ArchError, Net, cost, files, load
from archgen.analysis import coverage, receptive_field
from archgen.ops import size
from archgen.view import dot, shades, short, stage_rows

DEFAULT = "dpn131"


def main() -> None:
    """Draw the page; the address holds the network, so that a view can be shared."""
    st.set_page_config(page_title="archgen", layout="wide")
    known = files.names("specs")
    asked = st.query_params.get("spec", DEFAULT)
    start = known.index(asked if asked in known else DEFAULT)
    name = st.sidebar.selectbox("Network", known, index=start, key="spec")
    st.query_params["spec"] = name
    try:
        draw(load(name), files.find("specs", name).read_text(encoding="utf-8"))
    except ArchError as error:
        st.error(str(error))


def draw(net: Net, text: str) -> None:
    """Draw one network, and the text of its spec."""
    st.title(net.name)
    if net.paper is not None:
        link = f" ([arXiv:{net.paper.arxiv}](https://arxiv.org/abs/{net.paper.arxiv}))"
        st.markdown(net.paper.title + (link if net.paper.arxiv else ""))
    st.caption(f"input {size(net.input)}")
    counts = cost(net)
    figures = {
        "Parameters": short(counts.params),
        "MACs": short(counts.macs),
        "Activations": short(counts.activations),
        "Layers": str(counts.depth),
        "Receptive field": str(receptive_field(net) or "all"),
    }
    for column, (label, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(label, value)
    stages, diagram, field, spec = st.tabs(["Stages", "Diagram", "Field", "Spec"])
    rows = stage_rows(net)
    stages.dataframe(
        [
            {
                "path": row.path,
                "block": row.block,
                "output": size(row.shape),
                "stride": row.stride or None,
                "parameters": row.params,
                "MACs": row.macs,
                "share of MACs": f"{row.share:.1%}",
            }
            for row in rows
        ],
        hide_index=True,
        height="content",
        column_config=dict.fromkeys(
            ["parameters", "MACs"], st.column_config.NumberColumn(format="localized")
        ),
    )
    diagram.graphviz_chart(dot(net))
    spec.code(text, language="yaml")
    with field:
        draw_field(net, [row.path for row in rows if len(row.shape) == 3])


def draw_field(net: Net, maps: list[str]) -> None:
    """Draw what the middle pixel of one map sees of another."""
    left, right = st.columns(2)
    of = left.selectbox("The middle pixel of", maps, index=len(maps) - 1, key="of")
    seen = right.selectbox("sees of", ["input", *maps[: maps.index(of)]], key="seen")
    try:
        found = coverage(net, of, seen)
    except ArchError as error:
        st.info(str(error))
        return
    part = f"{found.density:.0%} of a field of {size(found.field.shape)}"
    st.caption(f"{found.seen:,} positions, {part}")
    st.code(shades(found), language=None)


main()
