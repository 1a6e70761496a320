"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import COUNTED, Cost, cost, depths
from archgen.analysis.coverage import Coverage, coverage, gridding, phases
from archgen.analysis.last_map import last_map
from archgen.analysis.memory import Saved, saved, saved_bytes, saved_each
from archgen.analysis.parallel import Parallelism, concurrency, parallelism
from archgen.analysis.peak import peak_bytes
from archgen.analysis.receptive import Field, receptive_field, receptive_fields
from archgen.analysis.strides import strides
from archgen.analysis.training import Optimizer, TrainingMemory, training_memory
from archgen.precision import Precision

__all__ = [
    "COUNTED",
    "Cost",
    "Coverage",
    "Field",
    "Optimizer",
    "Parallelism",
    "Precision",
    "Saved",
    "TrainingMemory",
    "concurrency",
    "cost",
    "coverage",
    "depths",
    "gridding",
    "last_map",
    "parallelism",
    "peak_bytes",
    "phases",
    "receptive_field",
    "receptive_fields",
    "saved",
    "saved_bytes",
    "saved_each",
    "strides",
    "training_memory",
]
