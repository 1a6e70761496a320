"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import Cost, cost
from archgen.analysis.memory import saved_bytes

__all__ = ["Cost", "cost", "saved_bytes"]
