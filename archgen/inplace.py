"""Which results lie in the memory of another one: views, and activations that overwrite."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.ops import Act, Dropout


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


def homes(graph: Graph, *, training: bool) -> list[int]:
    """Give for each call the one in whose memory its result lies: most often itself.

    Args:
        graph: A graph.
        training: Whether dropouts do anything.
    """
    found: list[int] = []
    for index, (_, op, inputs, _) in enumerate(graph.calls):
        same = op.view or (isinstance(op, Dropout) and not training)
        same = same or (isinstance(op, Act) and works_in_place(graph, index))
        found.append(found[inputs[0]] if same else index)
    return found
