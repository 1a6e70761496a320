"""Which nodes of a network give classes."""

from __future__ import annotations

from archgen.blocks import Block
from archgen.errors import ArchError
from archgen.spec.net import Net


def heads(net: Net) -> list[str]:
    """Name the nodes that give classes, whether they are outputs or not."""
    return [name for name, node in net.nodes.items() if node.block in _kinds()]


def head_of(net: Net) -> str:
    """Name the node that gives the classes: the only output, of a block with that field.

    Raises:
        ArchError: There are several outputs, or the output is no classifier.
    """
    outputs = net.outputs or [next(reversed(net.nodes))]
    if len(outputs) > 1:
        message = f"a classifier has one output, {net.name} has {len(outputs)}"
        raise ArchError("outputs", f"{message}: {', '.join(outputs)}")
    name = outputs[0].partition(".")[0]
    if name not in heads(net):
        if net.outputs is not None and heads(net):
            cut = f"{net.name} is cut off at {outputs[0]} and gives no classes; leave out outputs"
            raise ArchError("outputs", cut)
        what = f"the output is a {net.nodes[name].block!r}, which has no classes"
        raise ArchError(f"nodes.{name}", f"{what}; end with {' or '.join(_kinds())}")
    return name


def _kinds() -> list[str]:
    return sorted(kind for kind, one in Block.kinds.items() if "classes" in one.model_fields)
