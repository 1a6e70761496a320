"""Plain rows and drawings-as-text of all that is shown; draws nothing and imports no torch.

The command line and the app lay out what these functions give, and compute nothing.
"""

from archgen.view.diagram import dot, mermaid
from archgen.view.drawing import svg
from archgen.view.library import SpecRow, StudyRow, spec_rows, study_rows
from archgen.view.rows import OpRow, StageRow, op_rows, stage_rows
from archgen.view.words import duration, endings, figure, op_words, plain, short

__all__ = [
    "OpRow",
    "SpecRow",
    "StageRow",
    "StudyRow",
    "dot",
    "duration",
    "endings",
    "figure",
    "mermaid",
    "op_rows",
    "op_words",
    "plain",
    "short",
    "spec_rows",
    "stage_rows",
    "study_rows",
    "svg",
]
