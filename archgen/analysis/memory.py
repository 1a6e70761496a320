"""Bytes that a training step keeps for its backward pass, counted without PyTorch."""

from __future__ import annotations

from math import prod

from archgen.graph import Graph
from archgen.inplace import works_in_place
from archgen.ops import FLOAT
from archgen.spec import Net


def saved_bytes(net: Net | Graph, batch: int = 1) -> int:
    """Count the bytes that autograd saves in one forward pass, for training in float32.

    These are the bytes that ``torch.autograd.graph.saved_tensors_hooks`` sees on a CPU: every
    storage once, parameters and buffers left out. The images count where a layer saves them
    (the first convolution does), the loss does not. Storages are whole: who saves a range of
    channels keeps all of the map that it was cut from.

    Args:
        net: A spec or a graph.
        batch: Images in a step.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    homes: list[int] = []  # the call in whose memory each result lies
    needs: list[bool] = []  # whether a result needs a gradient
    saved: set[int] = set()
    besides = 0
    for index, (_, op, inputs, shape) in enumerate(graph.calls):
        in_place = works_in_place(graph, index)
        homes.append(homes[inputs[0]] if op.view or in_place else index)
        operands_need = [needs[source] for source in inputs]
        needs.append(op.param_count > 0 or any(operands_need))
        if not needs[index]:
            continue
        if op.saves_output or in_place:
            saved.add(homes[index])
        saved.update(homes[inputs[i]] for i in op.saves(operands_need))
        besides += op.saves_besides(shape, batch)
    return besides + FLOAT * batch * sum(prod(graph.calls[home].shape) for home in saved)
