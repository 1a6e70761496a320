"""The network for some data: its input and its classes made those of the data. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgen.analysis import cost
from archgen.blocks import Block
from archgen.errors import ArchError
from archgen.spec import Net
from archgen.spec.head import head_of
from archgen.train.datasets import FOLDER, check_fit, needs, spelled

SMALL = 20e6
"""MACs of an image up to which a second thread gains little, and costs much on a busy machine."""


@dataclass(frozen=True)
class Adapted:
    """A network that fits its data, and in a sentence each what had to change for that."""

    net: Net
    changes: tuple[str, ...]


def adapt(
    net: Net, data: str, *, root: Path | None = None, head_dropout: float | None = None
) -> Adapted:
    """Give a network the input and the classes of a data set, where they differ.

    Args:
        net: Any network with a single head.
        data: The data set's name.
        root: Where data sets lie; by default `archgen.train.datasets.DEFAULT_ROOT`.
        head_dropout: Dropout before the classifier; None for the spec's own.

    Raises:
        ArchError: No such data set, no single head with classes, or a map of the network
            cannot be made from images of that size.
    """
    asked = needs(data, root)
    name = head_of(net)
    head = net.nodes[name]
    block = Block.kinds[head.block]
    values: dict[str, Any] = {}
    changes: list[str] = []
    if asked.input is not None and net.input != asked.input:
        values["input"] = [*asked.input]
        changes.append(f"input {spelled(net.input)} -> {spelled(asked.input)} for {data}")
    classes = net.graph().classes
    if classes != asked.classes:
        values[f"{name}.classes"] = asked.classes
        changes.append(f"classes {classes} -> {asked.classes} for {data}")
    if head_dropout is not None:
        if "dropout" not in block.model_fields:
            message = f"block {head.block!r} has no dropout, the recipe asks for {head_dropout}"
            raise ArchError(f"nodes.{name}", message)
        before = head.fields.get("dropout", block.model_fields["dropout"].default)
        if before != head_dropout:
            values[f"{name}.dropout"] = head_dropout
            changes.append(f"dropout of the head {before:g} -> {head_dropout:g} for the recipe")
    fitting = net.set(values) if values else net
    try:
        graph = fitting.graph()
    except ArchError as error:
        message = f"{error.message}; {net.name} does not fit {data} ({', '.join(changes)})"
        raise ArchError(error.path, message) from None
    check_fit(data, fitting.input, graph.classes, root)
    return Adapted(fitting, tuple(changes))


def is_small(net: Net, data: str) -> bool:
    """Whether one thread of a CPU trains a network about as fast as several, or faster.

    Images of a folder are read by as many processes as there are threads: there more are better.
    """
    return cost(net).macs <= SMALL and not data.startswith(FOLDER)
