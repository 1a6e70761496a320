"""Architecture search: the study file, the search itself and what it left. No torch at import."""

from archgen.study.definition import Study, candidate
from archgen.study.load import load_study
from archgen.study.report import Row, best, best_net, trials
from archgen.study.run import search
from archgen.study.status import Outcome, Status
from archgen.study.storage import runs_folder

__all__ = [
    "Outcome",
    "Row",
    "Status",
    "Study",
    "best",
    "best_net",
    "candidate",
    "load_study",
    "runs_folder",
    "search",
    "trials",
]
