"""Columns as curves: the value that each unit of a node gets, against what it got before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from archgen.blocks import Block
from archgen.columns import resolve
from archgen.joins import Join
from archgen.report.charts import BLUE, GREY, Chart
from archgen.spec import Net
from archgen.spec.parts import Node


@dataclass(frozen=True)
class Curve:
    """One number of each unit of a node.

    Args:
        path: The field's dotted path: ``stages.width``.
        means: What it means; may be empty.
        stages: A value for each unit, stage by stage, or stream by stream.
    """

    path: str
    means: str
    stages: tuple[tuple[float, ...], ...]

    @property
    def flat(self) -> bool:
        """Whether all units have one value."""
        return len(set(self.values)) == 1

    @property
    def values(self) -> list[float]:
        """Its values, unit after unit."""
        return [value for stage in self.stages for value in stage]


def curves(net: Net) -> dict[str, Curve]:
    """Give the numbers that a spec writes for the units of its nodes, by path.

    Args:
        net: A spec that can be lowered.
    """
    found = (curve for name, node in net.nodes.items() for curve in _of_node(name, node))
    return {curve.path: curve for curve in found}


def _of_node(name: str, node: Node) -> Iterator[Curve]:
    if node.depth is None:
        return
    depths = node.depth if isinstance(node.depth, list) else [node.depth]
    staged = isinstance(node.depth, list) or node.streams is not None
    if node.streams is not None and not isinstance(node.depth, list):
        depths = depths * len(node.sources)
    block, join = Block.kinds[node.block], Join.kinds[node.join["join"]]
    owners = [(name, block, node.fields), (f"{name}.shortcut", join, node.join)]
    for path, owner, fields in owners:
        opening = block.opening_fields() if owner is block else frozenset()
        for field, value in fields.items():
            if field == "join":
                continue
            info = owner.model_fields[field]
            stages = resolve(
                value,
                depths,
                staged=staged,
                opens=field in opening,
                default=info.default,
                path=f"{path}.{field}",
            )[-(node.streams or 0) :]
            if all(type(each) in (int, float) for stage in stages for each in stage):
                means = info.description or ""
                yield Curve(f"{path}.{field}", means, tuple(map(tuple, stages)))


def curve_chart(curve: Curve, before: Curve | None) -> Chart:
    """Draw a curve over the units of its node.

    Args:
        curve: What it is now.
        before: What it was; None where that is no number of each unit.
    """
    starts = [*accumulate(map(len, curve.stages))]
    data = [] if before is None else [_line(before, "before", GREY, "dash", "diamond-open")]
    data.append(_line(curve, "now", BLUE, "solid", "circle"))
    ends = [start + 0.5 for start in starts[:-1]]
    middles = [(one + other + 1) / 2 for one, other in pairwise([0, *starts])]
    layout: dict[str, Any] = {
        "height": 300,
        "margin": {"t": 32, "r": 8, "l": 8, "b": 8},
        "xaxis": {"title": {"text": "unit, in order"}, "zeroline": False},
        "yaxis": {
            "title": {"text": curve.path},
            "rangemode": "tozero",
            "zeroline": False,
            "tickformat": "~s",
        },
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "hovermode": "x unified",
        "shapes": [
            {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": GREY, "width": 1, "dash": "dot"}}
            for x in ends
        ],
        "annotations": [
            {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": str(index),
             "showarrow": False, "font": {"color": GREY}}
            for index, x in enumerate(middles if len(starts) > 1 else [])
        ],
    }  # fmt: skip
    return Chart(data, layout, _said(curve, before))


def _line(curve: Curve, name: str, color: str, dash: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "name": name,
        "x": [*range(1, len(curve.values) + 1)], "y": curve.values,
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"color": color, "symbol": symbol, "size": 6},
    }  # fmt: skip


def _said(curve: Curve, before: Curve | None) -> str:
    told = [f"{curve.path} of {len(curve.values)} units: {_ends(curve)}"]
    if before is not None and before.values != curve.values:
        told.append(f"before {_ends(before)}")
    return "; ".join(told) + "."


def _ends(curve: Curve) -> str:
    values = curve.values
    return f"from {values[0]:g} to {values[-1]:g}"
