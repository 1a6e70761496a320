"""The latency of a network, estimated from its graph."""

from __future__ import annotations

from archgen.graph import Graph
from archgen.inplace import works_in_place
from archgen.latency.calibration import Calibration
from archgen.latency.work import Work, work
from archgen.spec import Net


def latency(net: Net | Graph, calibration: Calibration, batch: int = 1) -> float:
    """Estimate the seconds of one forward pass: eager, in evaluation mode and float32, on the CPU.

    It is what all operations take, one after another, as the generated module runs them.

    Args:
        net: A spec or a graph.
        calibration: What was measured of the machine.
        batch: Images in the pass.

    Raises:
        ArchError: The spec cannot be lowered, or has operations that were not measured.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    return sum(map(calibration.seconds, works(graph, batch, calibration.threads)))


def works(graph: Graph, batch: int, threads: int) -> list[Work]:
    """Say what decides the time of each operation, in order; of all but the input.

    Args:
        graph: A graph.
        batch: Images.
        threads: That PyTorch computes with.
    """
    shapes = [call.shape for call in graph.calls]
    return [
        work(
            call.op,
            [shapes[source] for source in call.inputs],
            call.shape,
            batch=batch,
            threads=threads,
            in_place=works_in_place(graph, index),
        )
        for index, call in enumerate(graph.calls)
        if call.inputs
    ]
