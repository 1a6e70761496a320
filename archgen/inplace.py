"""Which activations overwrite their operand: what the source says and what memory it takes."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.ops import Act


def works_in_place(graph: Graph, index: int) -> bool:
    """Tell whether a call overwrites its operand.

    Only on a fresh result of the very module that the call stands in, that nothing else reads
    and the network does not return.

    Args:
        graph: A graph.
        index: The call's position.
    """
    call = graph.calls[index]
    if not (isinstance(call.op, Act) and call.op.may_work_in_place):
        return False
    (operand,) = call.inputs
    source = graph.calls[operand]
    return (
        source.op.fresh
        and source.name.rpartition(".")[0] == call.name.rpartition(".")[0]
        and len(graph.users[operand]) == 1
        and operand not in graph.outputs
    )
