"""Which node of a network gives the classes."""

from __future__ import annotations

from archgen.blocks import Block
from archgen.errors import ArchError
from archgen.spec.net import Net


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
    block = net.nodes[name].block
    if "classes" not in Block.kinds[block].model_fields:
        known = sorted(kind for kind, one in Block.kinds.items() if "classes" in one.model_fields)
        message = f"the output is a {block!r}, which has no classes; end with {' or '.join(known)}"
        raise ArchError(f"nodes.{name}", message)
    return name
