"""The module tree of a graph: which calls stand in which module, and what flows in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archgen.errors import ArchError
from archgen.graph import Graph


@dataclass
class Region:
    """A module: calls and modules inside it.

    Args:
        path: Module path; "" for the network.
        members: Positions of calls, and regions, in the graph's order.
        inputs: Calls outside whose results it reads, in order of first use.
        outputs: Calls inside whose results are read outside or returned by the network.
        steps: The members in the order in which they run.
    """

    path: str
    members: list[int | Region] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    steps: list[int | Region] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in the module around it."""
        return self.path.rpartition(".")[2]


def regions(graph: Graph) -> Region:
    """Rebuild the module tree of a graph.

    Raises:
        ArchError: A module is left and entered again.
    """
    root = Region("")
    open_: list[Region] = [root]
    seen: set[str] = set()
    for index, call in enumerate(graph.calls):
        if not call.inputs:
            continue
        *scopes, _ = call.name.split(".")
        common = 0
        while (
            common < len(scopes)
            and common + 1 < len(open_)
            and open_[common + 1].name == scopes[common]
        ):
            common += 1
        del open_[common + 1 :]
        for depth in range(common, len(scopes)):
            path = ".".join(scopes[: depth + 1])
            if path in seen:
                raise ArchError(call.name, f"the module {path} is left and entered again")
            seen.add(path)
            region = Region(path)
            open_[-1].members.append(region)
            open_.append(region)
        open_[-1].members.append(index)
    _flow(graph, root, set(graph.outputs))
    root.inputs, root.outputs = (0,), graph.outputs
    return root


def _flow(graph: Graph, region: Region, returned: set[int]) -> set[int]:
    """Set inputs and outputs, from the leaves up; give the calls inside."""
    inside: set[int] = set()
    reads: dict[int, None] = {}
    for member in region.members:
        if isinstance(member, Region):
            inside |= _flow(graph, member, returned)
            reads.update(dict.fromkeys(member.inputs))
        else:
            inside.add(member)
            reads.update(dict.fromkeys(graph.calls[member].inputs))
    region.steps = region.members
    region.inputs = tuple(index for index in reads if index not in inside)
    last = max(inside, default=0)  # a module's calls stand together
    region.outputs = tuple(
        index
        for index in sorted(inside)
        if index in returned or max(graph.users[index], default=0) > last
    )
    return inside


def is_list(members: Sequence[int | Region]) -> bool:
    """Tell whether a module's members are modules called 0, 1, 2, ...; a pass may leave gaps."""
    numbers = [int(m.name) for m in members if isinstance(m, Region) and m.name.isdecimal()]
    return len(numbers) == len(members) and numbers == sorted(numbers)
