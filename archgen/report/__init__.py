"""A search as a page to read and to send: facts, figures, HTML and Markdown. No torch.

Plotly (its script alone) and Optuna (importances) are imported inside functions.
"""

from archgen.report.facts import Facts, facts_of
from archgen.report.page import page
from archgen.report.summary import summary

__all__ = ["Facts", "facts_of", "page", "summary"]
