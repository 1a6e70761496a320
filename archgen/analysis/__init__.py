"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import Cost, cost
from archgen.analysis.memory import saved_bytes
from archgen.analysis.strides import strides

__all__ = ["Cost", "cost", "saved_bytes", "strides"]
