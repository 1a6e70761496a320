"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import Cost, cost
from archgen.analysis.last_map import last_map
from archgen.analysis.memory import saved_bytes
from archgen.analysis.strides import strides

__all__ = ["Cost", "cost", "last_map", "saved_bytes", "strides"]
