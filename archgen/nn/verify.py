"""Compare a module with what was computed of its graph, by PyTorch's own count."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archgen.analysis import cost
from archgen.ops import Shape, size
from archgen.spec import Net

BATCH = 2
"""Images of the forward run: with one, a mixed-up batch dimension would not show."""


@dataclass(frozen=True)
class Check:
    """One figure: what archgen computed and what PyTorch counted."""

    what: str
    computed: str
    counted: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.computed == self.counted


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
        """Whether all figures are the same."""
        return all(check.agrees for check in self.checks)


def verify(model: nn.Module, net: Net) -> Verdict:
    """Run one forward and compare parameters, buffers, MACs and output shapes.

    The model is run on random images in evaluation mode, where it is, and left as it was.

    Args:
        model: What `build` made of `net`.
        net: The spec.
    """
    computed, graph = cost(net), net.graph()
    params = sum(p.numel() for p in model.parameters())
    buffers = sum(b.numel() for n, b in model.named_buffers() if not n.endswith("_tracked"))
    macs, shapes = _run(model, net)
    expected = [graph.calls[end].shape for end in graph.outputs]
    checks = (
        Check("parameters", f"{computed.params:,}", f"{params:,}"),
        Check("buffers", f"{computed.buffers:,}", f"{buffers:,}"),
        Check("MACs", f"{computed.macs:,}", f"{macs:,}"),
        Check("output", " and ".join(map(size, expected)), " and ".join(map(size, shapes))),
    )
    return Verdict(params, macs, checks)


def _run(model: nn.Module, net: Net) -> tuple[int, list[Shape]]:
    """Count the MACs of one image and see the shapes that come out."""
    first = next(model.parameters(), torch.empty(0))
    images = torch.randn(BATCH, *net.input, device=first.device, dtype=first.dtype)
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            result = model(images)
    finally:
        model.train(training)
    outputs = result if isinstance(result, tuple) else (result,)
    return counter.get_total_flops() // (2 * BATCH), [tuple(y.shape[1:]) for y in outputs]
