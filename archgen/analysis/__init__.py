"""Numbers from a graph, without PyTorch."""

from archgen.analysis.counts import Cost, cost

__all__ = ["Cost", "cost"]
