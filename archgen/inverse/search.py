"""The search along a scale for what costs nearest to a target."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from itertools import chain, pairwise

from archgen.analysis import COUNTED
from archgen.analysis import cost as cost_of
from archgen.errors import ArchError
from archgen.inverse.found import Fit, Point
from archgen.inverse.scale import Number, Scale
from archgen.spec import Net

COSTS = (*COUNTED, "saved_bytes", "peak_bytes", "receptive_field")
"""What may be asked for; bytes are those of one image."""
RUNGS = 64
"""Steps that are taken one way at most, each twice as long as the one before."""
SCAN = 128
"""Values that are tried where a cost neither just rises nor just falls."""
CROSSINGS = 4
"""Of the places where such a cost passes the target, those that are looked at closely."""


class Search:
    """What was tried, by position on the scale.

    Args:
        net: The spec.
        cost: One of `COSTS`.
        target: What it should be.
        scale: What is moved along.
    """

    def __init__(self, net: Net, cost: str, target: float, scale: Scale) -> None:
        self.net = net
        self.cost = cost
        self.target = target
        self.scale = scale
        self.tried: dict[Number, Point | None] = {}
        self.known: dict[tuple[Number, ...], Point | None] = {}

    def run(self) -> Fit:
        """Look along the scale, closely where the cost passes the target."""
        start = self._land()
        if self._cost(start) != self.target and (crossing := self._cross(start)):
            self._close_in(*crossing)
        monotone = self._monotone()
        if not monotone:
            self._scan()
        self._refuse_idle()
        return self._found(monotone)

    def _cost(self, x: Number) -> int | None:
        """Give the cost at a position; None if nothing builds there, or it has none."""
        if x not in self.tried:
            values = self.scale.values(x)
            key = tuple(values.values())
            if key not in self.known:
                self.known[key] = self._point(values)
            self.tried[x] = self.known[key]
        point = self.tried[x]
        return None if point is None else point.cost

    def _point(self, values: dict[str, Number]) -> Point | None:
        try:
            count: int | None = getattr(cost_of(self.net.set(values)), self.cost)
        except ArchError:
            return None
        return None if count is None else Point(values, count)

    def _first(self, positions: Iterable[Number]) -> Number | None:
        """Give the first position where something builds."""
        return next((x for x in positions if self._cost(x) is not None), None)

    def _points(self) -> dict[Number, Point]:
        """All positions where something builds, in order."""
        return {x: point for x, point in sorted(self.tried.items()) if point is not None}

    def _land(self) -> Number:
        """Give the start, or the position nearest to it that builds."""
        found = self._first(self.scale.around())
        if found is None:
            values = self.scale.values(self.scale.start)
            self.net.set(values).graph()  # what does not build says why
            raise ArchError(", ".join(values), f"the network has no {self.cost}")
        return found

    def _cross(self, start: Number) -> tuple[Number, Number] | None:
        """Step away from the start until the cost passes the target, first the way that nears it.

        Returns:
            The positions before and behind, or None if no way leads there.
        """
        ways = []
        for way in (1, -1):
            climb = self._climb(start, way)
            if (head := next(climb, None)) is not None:
                ways.append((self._distance(head), (start, head), climb))
        for _, begun, climb in sorted(ways, key=lambda each: each[0]):
            for before, after in pairwise(chain(begun, climb)):
                if self._passes(before, after):
                    return before, after
        return None

    def _climb(self, x: Number, way: int) -> Generator[Number]:
        """Step up or down, twice as far each time, to the last position where something builds."""
        reach = self.scale.unit
        for _ in range(RUNGS):
            wanted = self.scale.bounded(x + way * reach)
            further = self._first(each for each in (wanted, self.scale.scaled(x, way)) if each != x)
            if further is None:
                x = yield from self._edge(x, wanted)
                further = self._first(self.scale.beyond(x, way))
            if further is None:
                return
            yield further
            x, reach = further, 2 * reach

    def _edge(self, x: Number, bad: Number) -> Generator[Number, None, Number]:
        """Close in on the last position where something builds, from it to one where nothing does.

        Returns:
            That last position.
        """
        while (middle := next(self.scale.between(x, bad), None)) is not None:
            if self._cost(middle) is None:
                bad = middle
            else:
                x = middle
                yield x
        return x

    def _passes(self, one: Number, other: Number) -> bool:
        """Tell whether the target lies between the costs at two positions, or is one of them."""
        costs = [cost for x in (one, other) if (cost := self._cost(x)) is not None]
        return min(costs) <= self.target <= max(costs)

    def _close_in(self, one: Number, other: Number) -> None:
        """Bisect between two positions where the cost passes the target."""
        while (x := self._first(self.scale.between(one, other))) is not None:
            one, other = (one, x) if self._passes(one, x) else (x, other)
        for x in (one, other):
            self._first(y for y in self.scale.shorter(x) if self._cost(y) == self._cost(x))

    def _monotone(self) -> bool:
        costs = [point.cost for point in self._points().values()]
        return costs in (sorted(costs), sorted(costs, reverse=True))

    def _scan(self) -> None:
        """Try positions between all that were tried, then look closely where the cost passes."""
        fresh = True
        while fresh and len(self._points()) < SCAN:
            fresh = False
            for one, other in pairwise(self._points()):
                fresh |= self._first(self.scale.between(one, other)) is not None
        passing = [pair for pair in pairwise(self._points()) if self._passes(*pair)]
        passing.sort(key=lambda pair: min(map(self._distance, pair)))
        for pair in passing[:CROSSINGS]:
            self._close_in(*pair)

    def _refuse_idle(self) -> None:
        """Refuse numbers that change nothing."""
        points = [*self._points().values()]
        lowest, highest = points[0], points[-1]
        if len({point.cost for point in points}) > 1 or lowest.cost == self.target:
            return
        ends = f"from {lowest} to {highest}" if len(points) > 1 else f"with {lowest} alone"
        path = ", ".join(lowest.values)
        raise ArchError(path, f"changes no {self.cost}: they are {lowest.cost:,} {ends}")

    def _distance(self, x: Number) -> float:
        cost = self._cost(x)
        return math.inf if cost is None else abs(cost - self.target)

    def _found(self, monotone: bool) -> Fit:
        points = self._points()

        def order(x: Number) -> tuple[float, ...]:
            # Of equal ones the one that is written shortest, and then the one nearest to the start.
            digits = 0 if self.scale.whole else len(repr(x))
            return self._distance(x), digits, abs(x - self.scale.start)

        near = [points[x] for x in sorted(points, key=order)]
        by_cost = sorted(near, key=lambda point: point.cost)
        return Fit(
            net=self.net.set(near[0].values),
            cost=self.cost,
            target=self.target,
            start=self.known.get(tuple(self.scale.own.values())),
            best=near[0],
            below=next((point for point in near if point.cost <= self.target), None),
            above=next((point for point in near if point.cost >= self.target), None),
            least=by_cost[0],
            most=by_cost[-1],
            monotone=monotone,
            tried=len({id(point) for point in near}),
        )
