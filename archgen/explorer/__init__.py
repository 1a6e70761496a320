"""What the explorer's pages draw and remember, as plain data. No streamlit and no torch."""

from archgen.explorer.curves import along_depth
from archgen.explorer.draft import Draft
from archgen.explorer.library import titles
from archgen.explorer.seen import seen_map
from archgen.explorer.shown import DEFAULT, Shown

__all__ = ["DEFAULT", "Draft", "Shown", "along_depth", "seen_map", "titles"]
