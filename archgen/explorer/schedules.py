"""Columns as curves: the value that each unit of a node gets, against what it got before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from archgen.blocks import Block
from archgen.columns import resolve
from archgen.joins import Join
from archgen.report.traces import Chart
from archgen.spec import Net
from archgen.spec.parts import Node
from archgen.view.colours import BLUE, GREY


@dataclass(frozen=True)
class Curve:
    """One number of each unit of a node.

    Args:
        path: The field's dotted path: ``stages.width``; or ``output of stages``.
        means: What it means; may be empty.
        names: Its stages, or its streams; none for a plain list of units.
        stages: A value for each unit, stage by stage, or stream by stream.
    """

    path: str
    means: str
    names: tuple[str, ...]
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
    """Give what a spec writes for the units of its nodes, by path, and the channels they give.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    stacks = {name: node for name, node in net.nodes.items() if node.depth is not None}
    found = [curve for name, node in stacks.items() for curve in _of_node(name, node)]
    found += [_outputs(net, name) for name in stacks]
    return {curve.path: curve for curve in found}


def _outputs(net: Net, name: str) -> Curve:
    """Give the channels of what each unit of a node gives, transitions between stages included."""
    _, names = _parts(net.nodes[name])
    taps = [source.replace(".", "_") for source in names]
    parts = taps if net.nodes[name].streams else [str(index) for index in range(len(names))]
    scopes = [f"{name}.{part}" for part in parts] or [name]
    given: dict[str, dict[str, int]] = {scope: {} for scope in scopes}
    deep = 1 + bool(parts)
    for path, _, _, shape in net.graph().calls:
        keys = path.split(".")
        scope, unit = ".".join(keys[:deep]), "".join(keys[deep : deep + 1])
        if scope in given and unit.isdigit():
            given[scope][unit] = shape[0]
    stages = tuple(tuple(units.values()) for units in given.values())
    return Curve(f"output of {name}", "channels of what each unit gives", names, stages)


def _of_node(name: str, node: Node) -> Iterator[Curve]:
    depths, names = _parts(node)
    block, join = Block.kinds[node.block], Join.kinds[node.join["join"]]
    joined = {key: value for key, value in node.join.items() if key != "join"}
    for path, owner, fields in (
        (name, block, node.fields),
        (f"{name}.shortcut", join, joined),
    ):
        opening = block.opening_fields() if owner is block else frozenset()
        for field, value in fields.items():
            info = owner.model_fields[field]
            stages = resolve(
                value,
                depths,
                staged=bool(names),
                opens=field in opening,
                default=info.default,
                path=f"{path}.{field}",
            )[-(node.streams or 0) :]
            if all(type(each) in (int, float) for stage in stages for each in stage):
                means = info.description or ""
                yield Curve(f"{path}.{field}", means, names, tuple(map(tuple, stages)))


def _parts(node: Node) -> tuple[list[int], tuple[str, ...]]:
    """Give the units of each part of a stack, and what its parts are called, if it has several."""
    depths = node.depth if isinstance(node.depth, list) else [node.depth or 0]
    if node.streams is not None:
        each = depths if isinstance(node.depth, list) else depths * len(node.sources)
        return each, tuple(node.sources[-node.streams :])
    staged = isinstance(node.depth, list)
    return depths, tuple(f"stage {index}" for index in range(len(depths) * staged))


def curve_chart(curve: Curve, before: Curve | None) -> Chart:
    """Draw a curve over the units of its node.

    Args:
        curve: What it is now.
        before: What it was, if it was another; drawn dashed.
    """
    rooms = _rooms(curve, before)
    ends = [*accumulate(rooms, initial=0)]
    aligned = before is not None and len(before.stages) == len(rooms)
    starts = ends if aligned else [0]
    data = [] if before is None else [_line(before, starts, "before", GREY, "dash", "diamond-open")]
    data.append(_line(curve, ends, "now", BLUE, "solid", "circle"))
    middles = [(one + other + 1) / 2 for one, other in pairwise(ends)]
    layout: dict[str, Any] = {
        "height": 300,
        "margin": {"t": 56, "r": 8, "l": 8, "b": 8},
        "xaxis": {"title": {"text": "unit, in order"}, "showgrid": False, "zeroline": False,
                  "showticklabels": rooms == [*map(len, curve.stages)]},
        "yaxis": {
            "title": {"text": curve.path},
            "rangemode": "tozero",
            "zeroline": False,
            "tickformat": "~s",
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.12, "yanchor": "bottom"},
        "hovermode": "x unified",
        "shapes": [
            {"type": "line", "x0": x + 0.5, "x1": x + 0.5, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": GREY, "width": 1, "dash": "dot"}}
            for x in ends[1:-1]
        ],
        "annotations": [
            {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": name,
             "showarrow": False, "font": {"color": GREY}}
            for name, x in zip(curve.names, middles, strict=False)
        ],
    }  # fmt: skip
    return Chart(data, layout, _said(curve, before))


def _rooms(curve: Curve, before: Curve | None) -> list[int]:
    """Give each part the room of the longer one, so that parts stand above one another."""
    now = [*map(len, curve.stages)]
    if before is None or len(before.stages) != len(now):
        return now
    return [max(pair) for pair in zip(now, map(len, before.stages), strict=True)]


def _line(
    curve: Curve, starts: Sequence[int], name: str, color: str, dash: str, symbol: str
) -> dict[str, Any]:
    """Draw the values of each part from its start on; of one start, all in a row."""
    parts = curve.stages if len(starts) > 1 else (curve.values,)
    return {
        "type": "scatter", "mode": "lines+markers", "name": name,
        "x": [start + unit for start, part in zip(starts, parts, strict=False)
              for unit in range(1, len(part) + 1)],
        "y": curve.values, "customdata": [*range(1, len(curve.values) + 1)],
        "hovertemplate": "%{y:,} (unit %{customdata})",
        "line": {"color": color, "width": 2, "dash": dash, "shape": "hvh"},
        "marker": {"color": color, "symbol": symbol, "size": 6},
    }  # fmt: skip


def _said(curve: Curve, before: Curve | None) -> str:
    told = [f"{curve.path} of {len(curve.values)} units: {_ends(curve)}"]
    if before is not None:
        told.append(f"before {_ends(before)}")
    return "; ".join(told) + "."


def _ends(curve: Curve) -> str:
    values = curve.values
    return f"from {values[0]:g} to {values[-1]:g}"
