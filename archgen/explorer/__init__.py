"""What the explorer's pages draw and remember, as plain data. No streamlit and no torch."""

from archgen.explorer.curves import along_depth
from archgen.explorer.draft import Draft
from archgen.explorer.forms import forms
from archgen.explorer.knobs import Knob, knobs
from archgen.explorer.library import titles
from archgen.explorer.schedules import Curve, curve_chart, curves
from archgen.explorer.seen import seen_map
from archgen.explorer.shown import DEFAULT, Shown
from archgen.explorer.spans import Span, span
from archgen.explorer.table import cost_csv
from archgen.explorer.tiles import Tile, tiles
from archgen.explorer.turning import Change, Lock, Refusal, Turned, changes, turn

__all__ = [
    "DEFAULT",
    "Change",
    "Curve",
    "Draft",
    "Knob",
    "Lock",
    "Refusal",
    "Shown",
    "Span",
    "Tile",
    "Turned",
    "along_depth",
    "changes",
    "cost_csv",
    "curve_chart",
    "curves",
    "forms",
    "knobs",
    "seen_map",
    "span",
    "tiles",
    "titles",
    "turn",
]
