"""Which positions of a map a pixel behind it really sees: where dilation leaves a grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp
from typing import TYPE_CHECKING, TypeAlias

from archgen.analysis.last_map import before_head
from archgen.errors import ArchError, unknown
from archgen.graph import Call, Graph
from archgen.ops import POINT, Cat, Mean, Mul, Pad, Shape, Window, size
from archgen.spec import Net

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values: TypeAlias = NDArray[np.float64]


_LARGE = 2.0**500


@dataclass(frozen=True, eq=False)
class Coverage:
    """What a pixel sees of a map before it.

    Args:
        shares: For each position (H, W), its part of all that the pixel sees; together 1.
    """

    shares: Values

    @property
    def box(self) -> tuple[slice, slice]:
        """Where its field is: from the first to the last row and column of what it sees."""
        rows, columns = (self.shares.sum(axis).nonzero()[0] for axis in (1, 0))
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    @property
    def field(self) -> Values:
        """The shares in that box."""
        return self.shares[self.box]

    def cells(self, side: int) -> Values:
        """Sum the field's shares over square cells; the last ones may reach beyond it.

        Args:
            side: Positions of a cell's side.
        """
        import numpy as np

        field = np.pad(self.field, [(0, -length % side) for length in self.field.shape])
        rows, columns = (length // side for length in field.shape)
        sums: Values = field.reshape(rows, side, columns, side).sum((1, 3))
        return sums

    @property
    def seen(self) -> int:
        """How many positions it sees."""
        return int((self.shares > 0).sum())

    @property
    def density(self) -> float:
        """The part of the field's positions that it sees, 0 to 1."""
        return self.seen / self.field.size

    def phases(self, period: int) -> Values:
        """Sum the shares over each class of positions (row, column) mod `period`."""
        return phases(self.shares, period)

    def gridding(self, period: int) -> float:
        """Say how unevenly the shares lie over these classes; see `gridding`."""
        return gridding(self.shares, period)


def phases(energy: Values, period: int) -> Values:
    """Sum what lies on a map over each class of positions (row, column) mod `period`.

    Args:
        energy: Not negative, (H, W).
        period: Dilation whose grid is looked for, in pixels.

    Returns:
        The sums, (period, period).
    """
    import numpy as np

    steps = range(period)
    rows = ([energy[row::period, column::period].sum() for column in steps] for row in steps)
    return np.array([*rows])


def gridding(energy: Values, period: int) -> float:
    """Say how unevenly what lies on a map is spread over the classes of positions mod `period`.

    With q the classes' shares and n = period²: sqrt((n sum(q²) - 1) / (n - 1)), which is 0 where
    all classes have the same and 1 where one has all. Where the period divides both sides, it is
    the root mean square of the spectrum at the n - 1 frequencies (u, v) / period but zero, over
    that at zero, by Parseval.

    Args:
        energy: Not negative, (H, W).
        period: Dilation whose grid is looked for, in pixels; 2 or more.
    """
    sums = phases(energy, period)
    count = period**2
    uneven = (count * ((sums / sums.sum()) ** 2).sum() - 1) / (count - 1)
    return float(max(uneven, 0) ** 0.5)


def coverage(
    net: Net | Graph,
    of: str = "",
    seen: str = "input",
    pixel: tuple[int, int] | None = None,
) -> Coverage:
    """Follow all paths from a pixel back to a map before it.

    Every window weighs alike what it reads and sums add up, so that a position's share is the
    part of the paths, weighted, that lead to it: the gradient where all weights are alike, and
    the expected squared gradient where they are random (Luo et al., Understanding the Effective
    Receptive Field, arXiv:1701.04128, section 2). What only scales a map does not count (gates,
    constants, weights a channel), and channels of one map are taken as alike.

    Args:
        net: A spec or a graph.
        of: Path of the module or operation whose result the pixel is of; by default the last map
            before the head.
        seen: The same for the map that it sees.
        pixel: Its row and column; by default the middle.

    Raises:
        ArchError: The spec cannot be lowered, there is nothing at a path or no map, no path
            leads from one to the other, or the pixel is not on its map.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    end = _result(graph, of) if of else before_head(graph)
    start = _result(graph, seen)
    values = _followed(graph, end, start, _one(graph.calls[end], pixel))
    if values is None or not values.any():
        raise ArchError(of, f"no path leads here from {seen}; name a map before it")
    return Coverage(values / values.sum())


def _result(graph: Graph, path: str) -> int:
    """Find the last operation at or below a path."""
    inside = f"{path}."
    for index in range(len(graph.calls) - 1, -1, -1):
        name = graph.calls[index].name
        if name == path or name.startswith(inside):
            return index
    above, _, last = path.rpartition(".")
    if above:
        _result(graph, above)  # complains of the first part that is not there
    inside = f"{above}." if above else ""
    below = [call.name for call in graph.calls if call.name.startswith(inside)]
    known = {name.removeprefix(inside).split(".")[0] for name in below}
    raise ArchError(above, unknown("module or operation", last, known))


def _one(call: Call, pixel: tuple[int, int] | None) -> Values:
    """Give a map that is zero but for a pixel."""
    import numpy as np

    if len(call.shape) != 3:
        raise ArchError(call.name, f"gives a vector of {size(call.shape)}; name a map")
    sides = call.shape[1:]
    row, column = pixel or (sides[0] // 2, sides[1] // 2)
    if not (0 <= row < sides[0] and 0 <= column < sides[1]):
        raise ArchError(call.name, f"has no pixel {row}, {column} on a map of {size(sides)}")
    values = np.zeros(sides)
    values[row, column] = 1
    return values


def _followed(graph: Graph, end: int, start: int, values: Values) -> Values | None:
    """Give what of the values on one call's result comes from another's; None if nothing does.

    Only their proportions are meant: paths double with each shortcut, so that all are scaled down
    together, by powers of two, before they overflow.
    """
    found = {end: values}
    for index in range(end, start, -1):
        if (here := found.pop(index, None)) is None:
            continue
        if (most := float(here.max(initial=0))) > _LARGE:
            scale = 0.5 ** frexp(most)[1]
            here = here * scale
            found = {source: each * scale for source, each in found.items()}
        call = graph.calls[index]
        for source in call.inputs:
            shape = graph.calls[source].shape
            if source >= start and not (isinstance(call.op, Mul) and shape[1:] != call.shape[1:]):
                back = _back(call, shape, here)
                found[source] = found[source] + back if source in found else back
    return found.get(start)


def _back(call: Call, before: Shape, values: Values) -> Values:
    """Take the values of a call's result back to an operand of some shape."""
    import numpy as np

    op = call.op
    channels, height, width = before
    if isinstance(op, Mean):
        return np.full((height, width), values.sum() / (height * width))
    if isinstance(op, Cat | Pad):
        return values * (channels / call.shape[0])
    if op.window is POINT:
        return values
    return _spread(_spread(values, op.window, height).T, op.window, width).T


def _spread(values: Values, window: Window, length: int) -> Values:
    """Give each entry that a window reads along the first axis its part of the values."""
    import numpy as np

    span = window.stride * (len(values) - 1) + 1
    padded = np.zeros((max(window.padding + length, span + window.reach), values.shape[1]))
    for first in range(0, window.reach + 1, window.dilation):
        padded[first : first + span : window.stride] += values
    return padded[window.padding : window.padding + length] / window.kernel
