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

    def get(self, key: str, idx: int | Sequence[int] | None = None) -> Any:
        """Give one entry of all maps, of some, or of one.

        Args:
            key: Its name: ``"num_chs"``, ``"reduction"`` or ``"module"``.
            idx: Positions of maps; all where it is None. A single one gives no list.
        """
        if isinstance(idx, int):
            return self.info[idx][key]
        return [each[key] for each in self.get_dicts(idx=idx)]

    def get_dicts(
        self, keys: Sequence[str] | None = None, idx: int | Sequence[int] | None = None
    ) -> Any:
        """Give the descriptions of all maps, of some, or of one.

        Args:
            keys: The entries wanted; all where it is None.
            idx: Positions of maps; all where it is None. A single one gives no list.
        """
        if isinstance(idx, int):
            described = self.info[idx]
            return {key: described[key] for key in (described if keys is None else keys)}
        places = range(len(self.info)) if idx is None else idx
        return [self.get_dicts(keys, idx=place) for place in places]

    @overload
    def channels(self, idx: int) -> int: ...
    @overload
    def channels(self, idx: Sequence[int] | None = None) -> list[int]: ...
    def channels(self, idx: int | Sequence[int] | None = None) -> int | list[int]:
        """Give the channels of each map, or of the maps at `idx`."""
        return self.get("num_chs", idx)  # type: ignore[no-any-return]

    @overload
    def reduction(self, idx: int) -> int: ...
    @overload
    def reduction(self, idx: Sequence[int] | None = None) -> list[int]: ...
    def reduction(self, idx: int | Sequence[int] | None = None) -> int | list[int]:
        """Give the stride of each map, or of the maps at `idx`: input pixels a pixel."""
        return self.get("reduction", idx)  # type: ignore[no-any-return]

    @overload
    def module_name(self, idx: int) -> str: ...
    @overload
    def module_name(self, idx: Sequence[int] | None = None) -> list[str]: ...
    def module_name(self, idx: int | Sequence[int] | None = None) -> str | list[str]:
        """Give the module that each map comes from: what ``outputs`` calls it."""
        return self.get("module", idx)  # type: ignore[no-any-return]


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
