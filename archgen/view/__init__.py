"""Plain rows and drawings-as-text of all that is shown; draws nothing and imports no torch.

The command line and the app lay out what these functions give, and compute nothing.
"""

from archgen.view.alphas import AlphaRow, alpha_rows
from archgen.view.claims import ClaimRow, claim_rows
from archgen.view.comparison import (
    Comparison,
    FigurePair,
    StagePair,
    compare,
    figure_pairs,
)
from archgen.view.costs import CostRow, cost_row
from archgen.view.depth import DepthRow, depth_rows
from archgen.view.diagram import dot, mermaid
from archgen.view.drawing import svg
from archgen.view.library import SpecRow, StudyRow, spec_rows, study_rows
from archgen.view.papers import (
    COMPARED,
    FigureRow,
    PaperRow,
    Summary,
    VariantRow,
    paper_rows,
    summary,
)
from archgen.view.picture import Picture, picture
from archgen.view.rows import OpRow, StageRow, op_rows, stage_rows
from archgen.view.shades import shades
from archgen.view.words import (
    NAMES,
    brief,
    chosen,
    duration,
    endings,
    exact,
    figure,
    mebibytes,
    op_words,
    plain,
    short,
    titled,
    value_words,
    varied,
    with_unit,
)

__all__ = [
    "COMPARED",
    "NAMES",
    "AlphaRow",
    "ClaimRow",
    "Comparison",
    "CostRow",
    "DepthRow",
    "FigurePair",
    "FigureRow",
    "OpRow",
    "PaperRow",
    "Picture",
    "SpecRow",
    "StagePair",
    "StageRow",
    "StudyRow",
    "Summary",
    "VariantRow",
    "alpha_rows",
    "brief",
    "chosen",
    "claim_rows",
    "compare",
    "cost_row",
    "depth_rows",
    "dot",
    "duration",
    "endings",
    "exact",
    "figure",
    "figure_pairs",
    "mebibytes",
    "mermaid",
    "op_rows",
    "op_words",
    "paper_rows",
    "picture",
    "plain",
    "shades",
    "short",
    "spec_rows",
    "stage_rows",
    "study_rows",
    "summary",
    "svg",
    "titled",
    "value_words",
    "varied",
    "with_unit",
]
