"""archgen: convolutional networks as short specs, costed exactly and built as plain modules.

    net = archgen.load("dpn131")      # a shipped spec by name, or a YAML file by path
    archgen.cost(net).params          # exact, without PyTorch
    print(archgen.source(net))        # the Python that would run
    model = archgen.build(net)        # an ordinary torch.nn.Module

PyTorch is imported by `build` and `search` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archgen.analysis import Cost, cost
from archgen.codegen import source
from archgen.errors import ArchError
from archgen.graph import Graph
from archgen.spec import Net, load

if TYPE_CHECKING:
    from archgen.nn import build
    from archgen.study import search

__version__ = "0.1.0"
__all__ = [
    "ArchError",
    "Cost",
    "Graph",
    "Net",
    "build",
    "cost",
    "load",
    "search",
    "source",
]


def __getattr__(name: str) -> Any:
    if name == "build":
        from archgen.nn import build

        return build
    if name == "search":
        from archgen.study import search

        return search
    raise AttributeError(f"module 'archgen' has no attribute {name!r}")
