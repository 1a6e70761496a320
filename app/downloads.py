"""The network on the screen as files."""

from __future__ import annotations

import streamlit as st

from archgen import source
from archgen.explorer import cost_csv
from archgen.spec import Net
from archgen.view import svg


def draw_downloads(net: Net, page: str) -> None:
    """Offer the network as files; each is written when it is asked for.

    Args:
        net: The network.
        page: Which page offers them.
    """
    written = {
        "yaml": ("Spec", net.dump),
        "py": ("Source", lambda: source(net)),
        "svg": ("Picture", lambda: svg(net)),
        "csv": ("Costs", lambda: cost_csv(net)),
    }
    with st.container(horizontal=True):
        for ending, (label, write) in written.items():
            st.download_button(
                f"{label} (.{ending})",
                write,
                f"{net.name}.{ending}",
                on_click="ignore",
                icon=":material/download:",
                key=f"{page}.{ending}",
            )
