"""Numbers from a graph, without PyTorch."""

from archgen.analysis.cost import Cost, cost

__all__ = ["Cost", "cost"]
