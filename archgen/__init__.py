"""archgen: convolutional networks as short specs, costed exactly and built as plain modules.

    net = archgen.load("dpn131")      # a shipped spec by name, or a YAML file by path
    archgen.cost(net).params          # exact, without PyTorch
    print(archgen.source(net))        # the Python that would run
    model = archgen.build(net)        # an ordinary torch.nn.Module
    fast = archgen.deploy(model)      # norms and parallel branches folded into convolutions

PyTorch is imported by `build`, `deploy`, `load_weights` and `search` alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archgen.analysis import Cost, cost
    from archgen.codegen import source
    from archgen.errors import ArchError
    from archgen.export.load import load_weights
    from archgen.graph import Graph
    from archgen.inverse import fit
    from archgen.nn import build, deploy
    from archgen.spec import Net, load
    from archgen.study import search

__version__ = "0.1.0"
__all__ = [
    "ArchError",
    "Cost",
    "Graph",
    "Net",
    "build",
    "cost",
    "deploy",
    "fit",
    "load",
    "load_weights",
    "search",
    "source",
]


# Imported on first use, so that commands and their completion start fast.
_HOMES = {
    "ArchError": "archgen.errors",
    "Cost": "archgen.analysis",
    "Graph": "archgen.graph",
    "Net": "archgen.spec",
    "build": "archgen.nn",
    "cost": "archgen.analysis",
    "deploy": "archgen.nn",
    "fit": "archgen.inverse",
    "load": "archgen.spec",
    "load_weights": "archgen.export.load",
    "search": "archgen.study",
    "source": "archgen.codegen",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archgen' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
