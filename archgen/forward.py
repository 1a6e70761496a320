"""The body of one module's ``forward``: variables, nested expressions, work in place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from math import prod

from archgen.graph import Graph
from archgen.inplace import works_in_place
from archgen.ops import Act, Add, Op, Slot, Text
from archgen.regions import Region

WIDTH = 96
"""Most characters in a line of generated source."""
_SLOT_WIDTH = 5
_VARIABLES = ("x", "y", "z", "u", "v", "w", "p", "q", "r", "s", "t")


class Forward:
    """Writes the body of one ``forward``.

    Args:
        graph: The graph.
        region: The module.
        home: For each call, the one in whose memory its result lies.
        indexed: Whether the modules in it are reached by number.

    Attributes:
        inputs: Names of the arguments.
        names: The variable of each result that has one, arguments included; a result without
            stands inside the expression of the next member.
        lines: The statements.
    """

    def __init__(self, graph: Graph, region: Region, home: Sequence[int], *, indexed: bool) -> None:
        self.graph = graph
        self.region = region
        self.home = home
        self.indexed = indexed
        self.members = region.steps
        self.expressions: dict[int, tuple[Text, bool]] = {}
        self.names: dict[int, str] = {}
        self.last = self._last_uses()
        self.fresh = chain(_VARIABLES, (f"h{i}" for i in count(1)))
        self.free: list[str] = []
        self.held: dict[str, int] = {}
        self.inputs = [self._name(index) for index in region.inputs]
        self.lines: list[Text] = []
        for position, member in enumerate(self.members):
            self._member(position, member)
        ends = [self.expressions[index][0] for index in region.outputs]
        if self._returns_last_line():
            self.lines[-1] = ("return ", *self.lines[-1][1:])
        else:
            joined: list[str | Slot] = [part for end in ends for part in (*end, ", ")]
            self.lines.append(("return ", *joined[:-1]))

    def _returns_last_line(self) -> bool:
        """Whether the last line only computes what is returned (its first part assigns it)."""
        if not self.lines or len(self.region.outputs) != 1:
            return False
        return self.lines[-1][0] == f"{self.names[self.region.outputs[0]]} = "

    def _last_uses(self) -> dict[int, int]:
        last = {}
        for position, member in enumerate(self.members):
            reads = member.inputs if isinstance(member, Region) else self.graph.calls[member].inputs
            for index in reads:
                last[index] = position
        for index in self.region.outputs:
            last[index] = len(self.members)
        return last

    def _member(self, position: int, member: int | Region) -> None:
        if isinstance(member, Region):
            me = f"self[{member.name}]" if self.indexed else f"self.{member.name}"
            passed: list[str | Slot] = [f"{me}("]
            for index in member.inputs:
                passed += [*self.expressions[index][0], ", "]
            self._release(position, member.inputs)
            self._assign(member.outputs, (*passed[:-1], ")"))
            return
        call = self.graph.calls[member]
        marks = [f"\x04{i}\x04" for i in range(len(call.inputs))]
        me = call.name.rpartition(".")[2]
        text = call.op.expr(marks, me)
        if isinstance(call.op, Act) and works_in_place(self.graph, member):
            text = call.op.expr_in_place(marks)
        expression = self._insert(text, call.op, call.inputs)
        self._release(position, call.inputs)
        if self._fits_into_next(position, member, expression):
            self.expressions[member] = (expression, call.op.infix)
        else:
            self._assign((member,), expression)

    def _insert(self, text: Text, op: Op, inputs: Sequence[int]) -> Text:
        parts: list[str | Slot] = []
        for part in text:
            if isinstance(part, Slot):
                parts.append(part)
                continue
            for index, piece in enumerate(part.split("\x04")):
                if index % 2 == 0:
                    parts.append(piece)
                    continue
                operand, infix = self.expressions[inputs[int(piece)]]
                parts += ["(", *operand, ")"] if infix and op.tight else operand
        return _merged(parts)

    def _fits_into_next(self, position: int, index: int, expression: Text) -> bool:
        """Whether the only reader is the next member, so that a nested expression reads well."""
        if position + 1 >= len(self.members) or index in self.region.outputs:
            return False
        following = self.members[position + 1]
        if isinstance(following, Region):
            reads, length = list(following.inputs), 12 + len(following.name)
        else:
            call = self.graph.calls[following]
            reads, length = list(call.inputs), 24 + len(call.name.rpartition(".")[2])
            if isinstance(call.op, Add) and index not in reads[:2]:
                return False  # Python would make, and hold, the sum of the others before
        alone = reads.count(index) == 1 and self.last[index] == position + 1
        return alone and _length(expression) + length + 8 * len(reads) <= WIDTH - 16

    def _release(self, position: int, inputs: Sequence[int]) -> None:
        for index in reversed(inputs):
            name = self.names.get(index)
            if name is not None and self.last[index] == position and name not in self.free:
                self.free.append(name)

    def _name(self, index: int) -> str:
        name = self._largest_free() if self.free else next(self.fresh)
        self.names[index] = name
        self.held[name] = self.home[index]
        self.expressions[index] = ((name,), False)
        return name

    def _largest_free(self) -> str:
        """Take the free variable that holds most memory, which assigning to it gives back."""
        given = [self.home[index] for index in self.region.inputs]  # held by the caller as well
        others = [*given, *(home for name, home in self.held.items() if name not in self.free)]

        def size(name: str) -> int:
            home = self.held[name]
            return 0 if home in others else prod(self.graph.calls[home].shape)

        largest = max(reversed(self.free), key=size)
        self.free.remove(largest)
        return largest

    def _assign(self, outputs: Sequence[int], expression: Text) -> None:
        names = [self._name(index) for index in outputs]
        self.lines.append((f"{', '.join(names)} = ", *expression))


def _merged(parts: Sequence[str | Slot]) -> Text:
    merged: list[str | Slot] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged)


def _length(text: Text) -> int:
    return sum(len(p) if isinstance(p, str) else _SLOT_WIDTH + len(p.keyword) for p in text)
