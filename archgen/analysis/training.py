"""What a network's training holds in memory from step to step, counted without PyTorch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

from archgen.analysis.memory import saved
from archgen.errors import ArchError, unknown
from archgen.graph import Graph
from archgen.ops import FLOAT, INDEX, Norm
from archgen.precision import Precision
from archgen.spec import Net

Optimizer: TypeAlias = Literal["sgd", "adamw"]


@dataclass(frozen=True)
class TrainingMemory:
    """The parts of a training step's memory when its backward pass begins, in bytes.

    What kernels need inside, the images and the loss come on top, and what an allocator rounds.

    Args:
        parameters: Learned weights, always float32.
        buffers: Running means and variances, and each batch norm's count of batches.
        gradients: One for each parameter.
        optimizer: Its state.
        average: A moving average of parameters and buffers, with its count of steps.
        activations: What autograd saves of maps, statistics, indices and masks.
        copies: What autograd saves of weights in the lower precision.
    """

    parameters: int
    buffers: int
    gradients: int
    optimizer: int
    average: int
    activations: int
    copies: int

    @property
    def total(self) -> int:
        """The sum of all parts."""
        return sum(asdict(self).values())


def training_memory(
    net: Net | Graph,
    batch: int = 1,
    optimizer: Optimizer = "sgd",
    *,
    ema: bool = False,
    dtype: Precision = "float32",
) -> TrainingMemory:
    """Count the bytes that training holds.

    Args:
        net: A spec or a graph.
        batch: Images in a step.
        optimizer: SGD with momentum has one value for each parameter; AdamW
            (arXiv:1711.05101) has two, and a count of steps for each tensor.
        ema: Whether a moving average of the weights is kept.
        dtype: The precision of autocast.

    Raises:
        ArchError: The spec cannot be lowered, or there is no such optimizer or precision.
    """
    if optimizer not in get_args(Optimizer):
        raise ArchError("", unknown("optimizer", optimizer, get_args(Optimizer)))
    graph = net if isinstance(net, Graph) else net.graph()
    parameters = FLOAT * sum(call.op.param_count for call in graph.calls)
    counts = INDEX * sum(isinstance(call.op, Norm) for call in graph.calls)
    buffers = counts + FLOAT * sum(call.op.buffer_count for call in graph.calls)
    state = parameters
    if optimizer == "adamw":
        state = 2 * parameters + FLOAT * sum(1 for _ in graph.params())
    average = parameters + buffers + INDEX if ema else 0
    activations, copies = saved(graph, batch, dtype)
    return TrainingMemory(parameters, buffers, parameters, state, average, activations, copies)
