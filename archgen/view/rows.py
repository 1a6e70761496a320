"""A network as rows: one a stage, or one an operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from archgen.analysis import strides
from archgen.graph import Graph
from archgen.ops import Shape
from archgen.spec import Net
from archgen.view.words import op_words


@dataclass
class StageRow:
    """A node of the spec; a stage or a stream where the node has several.

    Args:
        path: Its module path (``stem``, ``stages.0``, ``body.stages_1``).
        blocks: How many units of each block it has, in order.
        shape: Shape of the map that it gives.
        stride: Input pixels a pixel of that map; 0 behind a mean over all positions.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
        share: Its part of the network's MACs, 0 to 1.
        sources: Paths of the rows (and ``input``) that it reads.
    """

    path: str
    blocks: dict[str, int] = field(default_factory=dict)
    shape: Shape = ()
    stride: int = 0
    params: int = 0
    macs: int = 0
    share: float = 0.0
    sources: list[str] = field(default_factory=list)

    @property
    def block(self) -> str:
        """Its blocks in words: ``transition + 12 dense_layer``."""
        parts = (f"{count} {kind}" if count > 1 else kind for kind, count in self.blocks.items())
        return " + ".join(parts)

    @property
    def units(self) -> int:
        """How many units it has."""
        return sum(self.blocks.values())


@dataclass(frozen=True)
class OpRow:
    """One operation.

    Args:
        path: Its module path.
        op: What it is, in words (``conv 3x3 stride=2 padding=1 groups=40``).
        inputs: Shapes of its operands.
        shape: Shape of its result.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
    """

    path: str
    op: str
    inputs: tuple[Shape, ...]
    shape: Shape
    params: int
    macs: int


def stage_rows(net: Net, graph: Graph | None = None) -> list[StageRow]:
    """Sum the network up: one row a node, stage or stream, in execution order.

    Args:
        net: The spec.
        graph: What a pass made of its graph; by default its graph.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = graph or net.graph()
    parts = parted(net)
    rows: dict[str, StageRow] = {}
    owners = ["input"]
    steps = strides(graph)
    for index, call in enumerate(graph.calls[1:], 1):
        path = row_of(call.name, parts)
        row = rows.get(path) or rows.setdefault(path, StageRow(path))
        row.shape, row.stride = call.shape, steps[index]
        row.params += call.op.param_count
        row.macs += call.op.macs(call.shape)
        for source in call.inputs:
            if owners[source] != path and owners[source] not in row.sources:
                row.sources.append(owners[source])
        owners.append(path)
    _count_blocks(rows, graph.labels)
    total = sum(row.macs for row in rows.values())
    for row in rows.values():
        row.share = row.macs / total if total else 0.0
    return list(rows.values())


def parted(net: Net) -> set[str]:
    """Name the nodes whose stages or streams are rows of their own."""
    return {
        name for name, node in net.nodes.items() if node.streams or isinstance(node.depth, list)
    }


def row_of(name: str, parts: Collection[str]) -> str:
    """Give the path of the row of `stage_rows` that an operation counts in.

    Args:
        name: The operation's path.
        parts: What `parted` gives.
    """
    node, part, *_ = name.split(".")
    return f"{node}.{part}" if node in parts else node


def _count_blocks(rows: dict[str, StageRow], labels: dict[str, str]) -> None:
    units: dict[str, list[str]] = {path: [] for path in rows}
    for path, label in labels.items():
        above, _, last = path.rpartition(".")
        if last.isdigit() and above in units:
            units[above].append(label)
    for path, row in rows.items():
        row.blocks = dict(Counter(units[path] or [labels.get(path, path)]))


def op_rows(net: Net) -> list[OpRow]:
    """List all operations in execution order.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    calls = net.graph().calls
    return [
        OpRow(
            path=call.name,
            op=op_words(call.op),
            inputs=tuple(calls[source].shape for source in call.inputs),
            shape=call.shape,
            params=call.op.param_count,
            macs=call.op.macs(call.shape),
        )
        for call in calls
    ]
