"""One network with its numbers as controls."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from controls import CURVE, draw_controls
from hold import draw_hold
from shared import current, show

from archgen import ArchError, source
from archgen.explorer import Shown, cost_csv, curve_chart, curves, tiles
from archgen.spec import Net
from archgen.view import Comparison, compare, plain, svg


@st.cache_resource(max_entries=64)
def network(word: str) -> Net:
    """Build a network once; it never changes."""
    net = Shown.read(word).net()
    net.graph()
    return net


@st.cache_resource(max_entries=64)
def compared(word: str, before: str) -> Comparison:
    """Compare a network with what it was."""
    return compare(network(word), network(before))


def draw_figures(found: Comparison) -> None:
    """Draw what the network costs, and how far that is from what it cost."""
    with st.container(horizontal=True):
        for tile in tiles(found.figures):
            st.metric(tile.label, tile.value, tile.change or None, delta_color="off", width=200,
                      delta_description=tile.before and f"from {tile.before}")  # fmt: skip


def draw_curves(net: Net, base: Net) -> None:
    """Draw the numbers of each unit, one column of the spec at a time."""
    before, now = curves(base), curves(net)
    told = [path for path in now if not (now[path].flat and before.get(path, now[path]).flat)]
    if not told:
        st.caption("No number of this network differs from unit to unit.")
        return
    if st.session_state.get(CURVE) not in told:
        st.session_state[CURVE] = next((path for path in told if "width" in path), told[0])
    path = st.segmented_control("Units", told, required=True, key=CURVE, label_visibility="collapsed")
    chart = curve_chart(now[path], before.get(path))
    st.plotly_chart({"data": chart.data, "layout": chart.layout}, alt=chart.said, key="units")
    st.caption(now[path].means)


def draw_downloads(net: Net) -> None:
    """Offer the network as files."""
    files = [("Spec", "yaml", net.dump), ("Source", "py", lambda: source(net)),
             ("Picture", "svg", lambda: svg(net)), ("Costs", "csv", lambda: cost_csv(net))]  # fmt: skip
    with st.container(horizontal=True):
        for label, ending, write in files:
            st.download_button(f"{label} (.{ending})", write, f"{net.name}.{ending}",
                               on_click="ignore", icon=":material/download:")  # fmt: skip


def draw_changes(found: Comparison, base: Shown) -> None:
    """List what was turned, with a way back."""
    if not found.spec:
        return
    rows = [{"turned": path, "from": plain(before), "to": plain(now)}
            for path, now, before, _ in found.spec]  # fmt: skip
    st.dataframe(rows, hide_index=True)
    st.button("Undo all", icon=":material/undo:", on_click=show, args=(base,))


shown = current()
base = replace(shown, changes={})
try:
    before = network(base.word())
    net = network(shown.word())
except ArchError as error:
    st.error(str(error))
    st.button("Show it as its spec has it", on_click=show, args=(base,))
    st.stop()
st.title(net.name)
left, right = st.columns([5, 7], gap="large")
with left:
    draw_hold(net)
    draw_controls(net, before)
with right:
    found = compared(shown.word(), base.word())
    draw_figures(found)
    draw_curves(net, before)
    draw_changes(found, base)
    draw_downloads(net)
