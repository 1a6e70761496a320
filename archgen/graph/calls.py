"""The graph: a flat list of calls in execution order; and its linter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

from archgen.errors import ArchError
from archgen.ops import Law, Op, Shape, size

if TYPE_CHECKING:
    import networkx as nx

NAME = re.compile(r"[a-z][a-z0-9_]*|0|[1-9][0-9]*")


class Call(NamedTuple):
    """One operation applied to earlier results.

    Args:
        name: Module path, unique in the graph.
        op: The operation.
        inputs: Positions of its operands in the list of calls.
        shape: Shape of its result, batch left out.
    """

    name: str
    op: Op
    inputs: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as a flat list of calls; two graphs of one network have one `digest`.

    Args:
        name: The network's name.
        calls: All operations in execution order; the first is the input.
        outputs: Positions of the results that the network returns.
        labels: What a module path is called as a class (``stages.0.0`` -> ``bottleneck``).
    """

    name: str
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]
    labels: dict[str, str] = field(default_factory=dict)

    @cached_property
    def users(self) -> tuple[tuple[int, ...], ...]:
        """For each call, the positions of the calls that read it."""
        users: list[list[int]] = [[] for _ in self.calls]
        for index, call in enumerate(self.calls):
            for source in call.inputs:
                users[source].append(index)
        return tuple(map(tuple, users))

    @cached_property
    def dag(self) -> nx.DiGraph[str]:
        """The same graph in networkx: nodes are names with the attributes ``op`` and ``shape``."""
        import networkx as nx

        dag: nx.DiGraph[str] = nx.DiGraph(name=self.name)
        for call in self.calls:
            dag.add_node(call.name, op=call.op, shape=call.shape)
            dag.add_edges_from((self.calls[source].name, call.name) for source in call.inputs)
        return dag

    @property
    def classes(self) -> int | None:
        """Length of the vector that it gives; None where it gives something else."""
        shape, *others = [self.calls[end].shape for end in self.outputs]
        return None if others or len(shape) != 1 else shape[0]

    @cached_property
    def digest(self) -> str:
        """Hexadecimal hash of the operations and their wiring; names and order do not matter."""
        seen: list[str] = []
        for call in self.calls:
            seen.append(_hash(f"{call.op!r} {[seen[source] for source in call.inputs]}"))
        return _hash(repr([seen[end] for end in self.outputs]))

    def params(self) -> Iterator[tuple[str, Call, Shape]]:
        """Yield name, owner and shape of each learned tensor."""
        for call in self.calls:
            for param in call.op.params():
                name = f"{call.name}.{param.suffix}" if param.suffix else call.name
                yield name, call, param.shape


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def check(graph: Graph) -> None:
    """Check that a graph is well formed; every pass must leave one that is.

    Raises:
        ArchError: A name is bad, not unique or a module's, an operand comes later or breaks a
            law, a shape is wrong, or a result is neither read nor returned.
    """
    seen: set[str] = set()
    modules: set[str] = set()
    for index, call in enumerate(graph.calls):
        if call.name in seen or not all(map(_is_name, call.name.split("."))):
            raise ArchError(call.name, "this name is taken twice or is no module path")
        seen.add(call.name)
        module = call.name
        while (module := module.rpartition(".")[0]) and module not in modules:
            modules.add(module)
        if any(source >= index for source in call.inputs):
            raise ArchError(call.name, "reads a result that is computed later")
        try:
            shape = call.op.shape(*[graph.calls[source].shape for source in call.inputs])
        except Law as law:
            raise ArchError(call.name, law.message) from None
        if shape != call.shape:
            raise ArchError(call.name, f"gives {size(shape)}, not {size(call.shape)} as it says")
        if not graph.users[index] and index not in graph.outputs:
            raise ArchError(call.name, "its result is neither read nor returned")
    for name in seen & modules:
        raise ArchError(name, "this is the name of an operation and of a module")


def _is_name(part: str) -> bool:
    return NAME.fullmatch(part) is not None and not iskeyword(part)
