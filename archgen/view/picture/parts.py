"""What a network is made of, from its stages down to its operations, by module path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from archgen.errors import ArchError, unknown
from archgen.regions import Region, is_list, regions
from archgen.spec import Net
from archgen.view.rows import stage_rows

Member: TypeAlias = int | Region
"""A call's position, or a module."""

FEW_CALLS = 24
"""A unit with at most so many operations shows those of its inner modules too."""


class Parts:
    """A network's module tree under its stages: the way to all that can be opened.

    Raises:
        ArchError: The spec cannot be lowered.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.graph = net.graph()
        self.rows = {row.path: row for row in stage_rows(net, self.graph)}
        self._modules = {module.path: module for module in _walk(regions(self.graph))}

    def trail(self, path: str) -> tuple[str, ...]:
        """Give the paths that lead to a part, from its stage on, itself last; none to the whole.

        Raises:
            ArchError: There is no such part.
        """
        if not path:
            return ()
        ends = [end for end, letter in enumerate(path) if letter == "."] + [len(path)]
        above = [path[:end] for end in ends]
        first = next((at for at, each in enumerate(above) if each in self.rows), None)
        if path not in self._modules or first is None:
            raise ArchError("", unknown("part", path, self.rows))
        return tuple(above[first:])

    def members(self, path: str) -> Sequence[Member]:
        """Give what a part consists of; the whole, of its stages."""
        if not path:
            return [self._modules[row] for row in self.rows]
        return self._modules[path].members

    def inside(self, path: str) -> tuple[str, ...]:
        """Give the paths of what can be opened in a part."""
        modules = [each for each in self.members(path) if isinstance(each, Region)]
        return tuple(each.path for each in modules if not self.at_once(path))

    def at_once(self, path: str) -> bool:
        """Tell whether a part, opened, shows all of its operations."""
        if not path or self.is_stack(path):
            return False
        return len(calls(self._modules[path])) <= FEW_CALLS

    def is_stack(self, path: str) -> bool:
        """Tell whether a part consists of units one behind the other."""
        return is_list(self._modules[path].members)


def calls(member: Member) -> list[int]:
    """Give the positions of the calls in a member."""
    if isinstance(member, int):
        return [member]
    return [index for inner in member.members for index in calls(inner)]


def _walk(module: Region) -> Iterator[Region]:
    for member in module.members:
        if isinstance(member, Region):
            yield member
            yield from _walk(member)
