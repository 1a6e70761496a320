"""The graph of primitive operations, the handle that blocks write it with, and its linter.

A graph is a flat list of calls in execution order; a call's name is its module path
(``stages.2.5.spatial``), so that the calls of one module stand together.
"""

from archgen.graph.calls import Call, Graph, check
from archgen.graph.maps import Builder, Map, add

__all__ = ["Builder", "Call", "Graph", "Map", "add", "check"]
