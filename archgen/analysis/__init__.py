"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import Cost, cost
from archgen.analysis.strides import strides

__all__ = ["Cost", "cost", "strides"]
