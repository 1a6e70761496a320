"""The colours of all drawings: Okabe and Ito's, which colour-blind people can tell apart.

https://jfly.uni-koeln.de/color/; they read on light and on dark. Where several colours are in
one figure, dashes and marks differ as well.
"""

from __future__ import annotations

from typing import NamedTuple

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE = "#56B4E9", "#CC79A7"
GREY = "#8C8C8C"
"""Of what stands behind the rest."""
INKS = {"light": "#1B2229", "dark": "#E6EAEE"}
"""Of texts on either theme of the explorer."""


class Style(NamedTuple):
    """What tells a series from the others: its colour, and plotly's names of its dash and mark."""

    color: str
    dash: str
    mark: str


STYLES = (
    Style(BLUE, "solid", "circle"),
    Style(VERMILLION, "dash", "square"),
    Style(GREEN, "dot", "diamond"),
    Style(ORANGE, "dashdot", "triangle-up"),
    Style(SKY, "longdash", "triangle-down"),
    Style(PURPLE, "longdashdot", "cross"),
)
"""Of the series of a figure, in their order; more are not told apart."""
