"""Whose names a file of weights has, and which of its tensors find a place. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archgen.errors import ArchError
from archgen.export.names import NAMINGS
from archgen.export.naming import Naming, said
from archgen.graph import Graph
from archgen.ops import Norm, Shape
from archgen.spec import Net
from archgen.spec.head import head_of, heads
from archgen.spec.lower import lower_all

COUNTER = "num_batches_tracked"
"""A norm's count of steps: older files have none, and nothing is computed from it."""
UNREAD = "no output needs them"


@dataclass(frozen=True)
class Misfit:
    """A tensor of another shape: our name and theirs, the shape wanted and the shape given."""

    ours: str
    theirs: str
    wanted: Shape
    given: Shape


@dataclass(frozen=True)
class Fit:
    """How the tensors of a file meet those of a network.

    Args:
        net: The network, with its new classifier if one was asked for.
        naming: Whose names the file has.
        found: Our names of the tensors that have a place -> the file's.
        new: Our names of those of the new classifier.
        missing: Our names of those that the file lacks -> theirs, None where they have no name.
        misfits: Those of another shape.
        unexpected: The file's names of those without a place here.
        unused: The file's names of those that its authors' code never uses, or that the network
            leaves out for its ``outputs`` -> why.
    """

    net: Net
    naming: Naming
    found: dict[str, str]
    new: tuple[str, ...]
    missing: dict[str, str | None]
    misfits: tuple[Misfit, ...]
    unexpected: tuple[str, ...]
    unused: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether every tensor of the network and of the file has its counterpart."""
        return not (self.missing or self.misfits or self.unexpected)

    def loads(self, *, partial: bool = False) -> bool:
        """Whether the file is taken: a complete one, or in part any of which something fits."""
        return self.complete or (partial and bool(self.found))


def fit(net: Net, given: Mapping[str, Shape], *, classes: int | None = None) -> Fit:
    """Find the names that a file uses, and the place of each of its tensors.

    The names are those by which the most tensors are found, and the fewest are strange. A network
    with ``outputs`` has room for the file of the whole one: what no output needs is unused.

    Args:
        net: The network.
        given: Names and shapes in the file.
        classes: Start a new classifier for so many classes.

    Raises:
        ArchError: The network has no single classifier to replace.
    """
    new: tuple[str, ...] = ()
    if classes is not None:
        net = net.set({f"{head_of(net)}.classes": classes})
        new = classifier(net)
    wanted = tensors(net.graph())
    unread = _unread(net, wanted)
    fits = [_fit(net, naming, wanted, unread, given, new) for naming in NAMINGS]
    return max(fits, key=lambda one: (len(one.found) + len(one.misfits), -len(one.unexpected)))


def tensors(graph: Graph) -> dict[str, Shape]:
    """Name what a network's ``state_dict`` holds, but for the norms' counters."""
    found = {name: shape for name, _, shape in graph.params()}
    for call in graph.calls:
        if isinstance(call.op, Norm):
            for statistic in ("running_mean", "running_var"):
                found[f"{call.name}.{statistic}"] = (call.op.channels,)
    return found


def classifier(net: Net) -> tuple[str, ...]:
    """Name the tensors of the layer that gives the classes; none in a network without one."""
    try:
        node = head_of(net)
    except ArchError:
        return ()
    return _last(net.graph(), node)


def _last(graph: Graph, node: str) -> tuple[str, ...]:
    inside = [row for row in graph.params() if row[0].startswith(f"{node}.")]
    return tuple(name for name, call, _ in inside if call is inside[-1][1])


def _unread(net: Net, wanted: Mapping[str, Shape]) -> dict[str, Shape | None]:
    """Give the tensors that no output needs; None where the classes decide the shape."""
    if net.outputs is None:
        return {}
    whole = lower_all(net)
    classes = {name for node in heads(net) for name in _last(whole, node)}
    rest = {name: shape for name, shape in tensors(whole).items() if name not in wanted}
    return {name: None if name in classes else shape for name, shape in rest.items()}


def _fit(
    net: Net,
    naming: Naming,
    wanted: Mapping[str, Shape],
    unread: Mapping[str, Shape | None],
    given: Mapping[str, Shape],
    new: tuple[str, ...],
) -> Fit:
    rest = {naming.today(name): name for name in given if not name.endswith(COUNTER)}
    found, missing, misfits = {}, {}, []
    for ours, shape in wanted.items():
        name = naming.theirs(ours)
        theirs = rest.pop(name, None) if name else None
        if ours in new:
            continue
        if theirs is None:
            missing[ours] = name
        elif _alike(shape, given[theirs]):
            found[ours] = theirs
        else:
            misfits.append(Misfit(ours, theirs, shape, given[theirs]))
    unused = {name: why for name in rest.values() if (why := said(naming.unused, name))}
    for ours, other in unread.items():
        theirs = rest.get(naming.theirs(ours) or "")
        if theirs is not None and (other is None or _alike(other, given[theirs])):
            unused[theirs] = UNREAD
    unexpected = tuple(name for name in rest.values() if name not in unused)
    return Fit(net, naming, found, new, missing, tuple(misfits), unexpected, unused)


def _alike(one: Shape, other: Shape) -> bool:
    """Whether both are of one shape, a linear layer's being that of a 1x1 convolution."""
    point = {one[2:], other[2:]} == {(), (1, 1)} and len(one) + len(other) == 6
    return one == other or (point and one[:2] == other[:2])
