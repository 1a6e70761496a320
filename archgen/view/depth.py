"""What changes along a network's depth, as rows: one the input, then one a unit."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from archgen.analysis import depths, receptive_fields, saved_each, strides
from archgen.graph import Graph
from archgen.ops import Shape
from archgen.spec import Net
from archgen.view.rows import parted, row_of


@dataclass
class DepthRow:
    """A unit: a block of a stage or stream, or a node that is one block. Or the input.

    Args:
        path: Its module path (``stages.2.5``, ``stem``), or ``input``.
        stage: The path of its row in `stage_rows`.
        block: Its block.
        stream: The path of the stream that it is in; "" outside of streams.
        after: The path of the unit that it reads, of several the deepest; "" for the input.
        layers: Convolutions and linear layers on the longest path down to its result.
        shape: Shape of its result.
        stride: Input pixels a pixel of that map; 0 where it has no meaning.
        receptive_field: Side of what a pixel of that map sees, in input pixels; None where it
            has no one size.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
        activations: Scalars that its convolutions and linear layers give for one image.
        saved_bytes: Bytes that it makes and that autograd saves, in float32.
    """

    path: str
    stage: str = "input"
    block: str = "input"
    stream: str = ""
    after: str = ""
    layers: int = 0
    shape: Shape = ()
    stride: int = 1
    receptive_field: int | None = 1
    params: int = 0
    macs: int = 0
    activations: int = 0
    saved_bytes: int = 0

    @property
    def channels(self) -> int:
        """Channels of its result."""
        return self.shape[0]

    @property
    def side(self) -> int | None:
        """The longer side of its result in pixels; None for a vector."""
        return max(self.shape[1:], default=None)


def depth_rows(net: Net, batch: int = 1) -> list[DepthRow]:
    """List the input and the units in execution order; what they cost adds up to the network's.

    Args:
        net: The spec.
        batch: Images in a batch, for what is in bytes.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net.graph()
    parts = parted(net)
    rows: dict[str, DepthRow] = {}
    owners: list[DepthRow] = []
    fields, steps, layers = receptive_fields(graph), strides(graph), depths(graph)
    kept = saved_each(graph, batch)
    for index, call in enumerate(graph.calls):
        stage = row_of(call.name, parts) if index else "input"
        path = _unit(graph, call.name, stage)
        row = rows.get(path)
        if row is None:
            stream = stage if graph.labels.get(stage) == "stream" else ""
            row = rows[path] = DepthRow(path, stage, graph.labels.get(path, path), stream)
        for source in [owners[source] for source in call.inputs]:
            if source is not row and (not row.after or source.layers > rows[row.after].layers):
                row.after = source.path
        field = fields[index]
        row.layers, row.shape, row.stride = layers[index], call.shape, steps[index]
        row.receptive_field = None if field is None else field.size
        row.params += call.op.param_count
        row.macs += call.op.macs(call.shape)
        row.activations += prod(call.shape) if call.op.weighted else 0
        row.saved_bytes += kept[index].activations
        owners.append(row)
    return [*rows.values()]


def _unit(graph: Graph, name: str, stage: str) -> str:
    """Give the path of the unit of a stage that an operation is in; the stage's if it has none."""
    number = name[len(stage) + 1 :].partition(".")[0]
    path = f"{stage}.{number}"
    return path if number.isdigit() and path in graph.labels else stage
