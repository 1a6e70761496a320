"""What lies on a path from input to output."""

from __future__ import annotations

from archgen.ops import Mul, Op


def carried(op: Op, inputs: tuple[int, ...]) -> tuple[int, ...]:
    """Give the operands that a path comes through: of a product, the map and not its gate.

    Args:
        op: An operation.
        inputs: Its operands.
    """
    return inputs[:1] if isinstance(op, Mul) else inputs
