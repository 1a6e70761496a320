"""Fusions without weights."""

from __future__ import annotations

from collections.abc import Sequence

from archgen.blocks.base import Fusion
from archgen.graph import Map, add


class Sum(Fusion, kind="sum"):
    """The sum of maps of one shape."""

    def build(self, maps: Sequence[Map]) -> Map:
        return add(maps)


class Concat(Fusion, kind="concat"):
    """Maps of one size stacked along channels."""

    def build(self, maps: Sequence[Map]) -> Map:
        return maps[0].cat(*maps[1:])
