"""A network run operation by operation, with a clock around each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from archgen.graph import Graph
from archgen.inplace import works_in_place
from archgen.ops import Act, Op, Text


class Step(NamedTuple):
    """An operation as the generated source writes it.

    Args:
        call: Called with its operands.
        inputs: Positions of its operands.
        last: Those that nothing reads after it.
    """

    call: Callable[..., Tensor]
    inputs: tuple[int, ...]
    last: tuple[int, ...]


def steps(graph: Graph) -> list[Step]:
    """Prepare every operation of a graph but the input, in order, with weights of its own."""
    last = {source: index for index, call in enumerate(graph.calls) for source in call.inputs}
    found = []
    for index, call in enumerate(graph.calls):
        if call.inputs:
            function = _function(call.op, len(call.inputs), in_place=works_in_place(graph, index))
            ends = [s for s in set(call.inputs) if last[s] == index and s not in graph.outputs]
            found.append(Step(function, call.inputs, tuple(ends)))
    return found


def take_steps(prepared: list[Step], images: Tensor, clock: Callable[[], float]) -> list[float]:
    """Run all operations once; give what each took, in the clock's seconds.

    Maps are let go as soon as nothing reads them, as in the generated module, so that caches and
    memory are as they are there.
    """
    values: list[Any] = [images]
    taken = []
    for call, inputs, last in prepared:
        operands = [values[source] for source in inputs]
        begin = clock()
        result = call(*operands)
        taken.append(clock() - begin)
        values.append(result)
        del operands, result
        for source in last:
            values[source] = None
    return taken


def _function(op: Op, operands: int, *, in_place: bool) -> Callable[..., Tensor]:
    names = [f"x{place}" for place in range(operands)]
    text = op.expr_in_place(names) if isinstance(op, Act) and in_place else op.expr(names, "op")
    scope = {"torch": torch, "F": functional, "nn": nn}
    owner, module = nn.Module(), op.module()
    if module is not None:
        owner.op = _value(_plain(module), scope)
    owner.eval()
    return partial(_value(f"lambda self, {', '.join(names)}: {_plain(text)}", scope), owner)


def _value(text: str, scope: dict[str, Any]) -> Any:
    """Evaluate what archgen itself has written.

    Compiled before: after Ctrl-C inside an ``eval`` of text Python ends by the signal, whatever
    exit status it was given.
    """
    return eval(compile(text, "<operation>", "eval"), scope)  # noqa: S307 - see above


def _plain(text: Text) -> str:
    return "".join(p if isinstance(p, str) else f"{p.keyword}{p.value}" for p in text)
