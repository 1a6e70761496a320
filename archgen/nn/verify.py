"""Compare a module with what was computed of its graph, by PyTorch's own count."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archgen.analysis import cost
from archgen.graph import Graph
from archgen.nn.folding import difference
from archgen.ops import Shape, size
from archgen.spec import Net

BATCH = 2
"""Images of the forward run: with one, a mixed-up batch dimension would not show."""
EXACT = 1e-9
"""Largest relative difference, in float64, between a network and its deploy form."""


@dataclass(frozen=True)
class Check:
    """One figure: what archgen computed, what PyTorch counted, and whether they agree."""

    what: str
    computed: str
    counted: str
    agrees: bool


@dataclass(frozen=True)
class Verdict:
    """Whether PyTorch agrees with what was computed.

    Args:
        params: Parameters that PyTorch counts.
        macs: Multiply-accumulates of one image that PyTorch counts.
        checks: All figures that were compared.
    """

    params: int
    macs: int
    checks: tuple[Check, ...]

    @property
    def agrees(self) -> bool:
        """Whether all figures do."""
        return all(check.agrees for check in self.checks)


def verify(model: nn.Module, net: Net | Graph) -> Verdict:
    """Run one forward and compare parameters, buffers, MACs and output shapes.

    The model is run on random images in evaluation mode, where it is, and left as it was.

    Args:
        model: What `build` or `deploy` made.
        net: Its spec or graph.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    computed = cost(graph)
    params = sum(p.numel() for p in model.parameters())
    buffers = sum(b.numel() for n, b in model.named_buffers() if not n.endswith("_tracked"))
    macs, shapes = _run(model, graph)
    expected = [graph.calls[end].shape for end in graph.outputs]
    checks = (
        _same("parameters", f"{computed.params:,}", f"{params:,}"),
        _same("buffers", f"{computed.buffers:,}", f"{buffers:,}"),
        _same("MACs", f"{computed.macs:,}", f"{macs:,}"),
        _same("output", " and ".join(map(size, expected)), " and ".join(map(size, shapes))),
    )
    return Verdict(params, macs, checks)


def verify_deployed(deployed: nn.Module, graph: Graph, model: nn.Module) -> Verdict:
    """Verify a folded network, and that it gives what the unfolded one gives.

    Args:
        deployed: What `deploy` made.
        graph: Its graph, as `deploy_form` gives it.
        model: What it was made from.
    """
    verdict, relative = verify(deployed, graph), difference(model)
    exact = Check("difference", f"at most {EXACT:g}", f"{relative:.1e}", relative <= EXACT)
    return replace(verdict, checks=(*verdict.checks, exact))


def _same(what: str, computed: str, counted: str) -> Check:
    return Check(what, computed, counted, computed == counted)


def _run(model: nn.Module, graph: Graph) -> tuple[int, list[Shape]]:
    """Count the MACs of one image and see the shapes that come out."""
    first = next(model.parameters(), torch.empty(0))
    images = torch.randn(BATCH, *graph.calls[0].shape, device=first.device, dtype=first.dtype)
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            result = model(images)
    finally:
        model.train(training)
    outputs = result if isinstance(result, tuple) else (result,)
    return counter.get_total_flops() // (2 * BATCH), [tuple(y.shape[1:]) for y in outputs]
