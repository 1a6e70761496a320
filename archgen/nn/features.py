"""What a network that returns feature maps says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

from torch import nn

from archgen.analysis import strides
from archgen.spec import Net


@dataclass(frozen=True)
class FeatureInfo(Sequence[dict[str, Any]]):
    """The maps that a network returns, in their order, as timm's models describe theirs.

    A sequence of ``{"num_chs": channels, "reduction": stride, "module": name}``; the stride is in
    input pixels a pixel of the map, and 0 behind a mean over all positions.

    Args:
        info: The descriptions.
    """

    info: tuple[dict[str, Any], ...]

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[dict[str, Any], ...]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | tuple[dict[str, Any], ...]:
        return self.info[index]

    def __len__(self) -> int:
        return len(self.info)

    def channels(self) -> list[int]:
        """Give the channels of each map."""
        return [each["num_chs"] for each in self.info]

    def reduction(self) -> list[int]:
        """Give the stride of each map: input pixels a pixel."""
        return [each["reduction"] for each in self.info]

    def module_name(self) -> list[str]:
        """Give the module that each map comes from: what ``outputs`` calls it."""
        return [each["module"] for each in self.info]


def describe(model: nn.Module, net: Net) -> None:
    """Set ``model.feature_info`` where all that a network returns are maps.

    Args:
        model: What was built from `net`.
        net: The spec.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net.graph()
    if any(len(graph.calls[end].shape) != 3 for end in graph.outputs):
        return
    names, steps = net.outputs or list(net.nodes)[-1:], strides(graph)
    info = FeatureInfo(
        tuple(
            {"num_chs": graph.calls[end].shape[0], "reduction": steps[end], "module": name}
            for name, end in zip(names, graph.outputs, strict=True)
        )
    )
    model.feature_info = info  # type: ignore[assignment]  # neither tensor nor module
