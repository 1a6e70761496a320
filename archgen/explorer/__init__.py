"""What the explorer's pages draw and remember, as plain data. No streamlit and no torch."""

from archgen.explorer.shown import DEFAULT, Shown

__all__ = ["DEFAULT", "Shown"]
