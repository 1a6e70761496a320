"""From a graph to Python source: plain PyTorch modules that a person could have written.

One class for each module whose code is the same up to numbers; numbers that differ between
its instances become constructor arguments. Writes text; imports no torch.
"""

from __future__ import annotations

import re
from functools import lru_cache
from textwrap import fill

from archgen.analysis import cost
from archgen.codegen.text import root_class
from archgen.codegen.writer import Writer
from archgen.errors import ArchError
from archgen.forward import WIDTH
from archgen.graph import Graph, check
from archgen.spec import Net, names

__all__ = ["root_class", "source"]


def source(net: Net | Graph) -> str:
    """Write a network as a Python module that imports alone.

    The module has one class for each distinct block and, last, one for the network; the
    attributes of its modules are the paths of the spec.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    body = _body(graph)
    imports = ["from torch import Tensor, nn"]
    if "torch." in body:
        imports.insert(0, "import torch")
    if "F." in body:
        imports.append("from torch.nn import functional as F")
    return f'"""{_heading(net, graph)}"""\n\n' + "\n".join(imports) + "\n\n\n" + body


@lru_cache(maxsize=16)
def _body(graph: Graph) -> str:
    check(graph)
    for call in graph.calls:
        for part in names.MODULE_ATTRIBUTES.intersection(call.name.split(".")):
            message = f"{part!r} is an attribute of torch.nn.Module; give it another name"
            raise ArchError(call.name, message)
    return Writer(graph).write()


def _heading(net: Net | Graph, graph: Graph) -> str:
    counts = cost(graph)
    title = graph.name
    if isinstance(net, Net) and net.paper is not None:
        plain = re.sub(r"[^\w ,.:;()&+-]", " ", net.paper.title)
        arxiv = f" (arXiv:{net.paper.arxiv})" if net.paper.arxiv else ""
        title += f": {plain}{arxiv}"
    shape = ", ".join(map(str, graph.calls[0].shape))
    return (
        f"{fill(f'{title}.', WIDTH)}\n\nInput (N, {shape}); {counts.params:,} parameters, "
        f"{counts.macs:,} multiply-accumulates an image.\n"
        "Written by archgen from its spec; needs only PyTorch.\n"
    )
