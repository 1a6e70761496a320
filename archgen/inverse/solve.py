"""Solving for numbers of a spec by what the network costs."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain, pairwise

from archgen.analysis import Cost, saved_bytes
from archgen.analysis import cost as cost_of
from archgen.errors import ArchError, unknown
from archgen.inverse.scale import Number, Scale
from archgen.spec import Net

COSTS = (*(each.name for each in fields(Cost) if each.type in (int, "int")), "saved_bytes")
"""What may be asked for; bytes are those of one image."""
RUNGS = 64
"""Steps that are taken one way at most, each twice as long as the one before."""
SCAN = 128
"""Values that are tried where a cost neither just rises nor just falls."""
CROSSINGS = 4
"""Of the places where such a cost passes the target, those that are looked at closely."""


@dataclass(frozen=True)
class Point:
    """What the network costs with some values.

    Args:
        values: Dotted path to number.
        cost: In units of one.
    """

    values: dict[str, Number]
    cost: int

    def __str__(self) -> str:
        return " ".join(f"{path}={value:.12g}" for path, value in self.values.items())


@dataclass(frozen=True)
class Fit:
    """The values whose cost is nearest to the target, and what lies around them.

    Args:
        net: The network with the best values.
        cost: The cost that was asked for, one of `COSTS`.
        target: What it should be.
        start: The values that the spec has; None where they are out of bounds or do not build.
        best: The values whose cost is nearest.
        below: Those that come nearest from below; None where all cost more than the target.
        above: Those that come nearest from above; None where all cost less.
        least: Those that cost least of all that were tried.
        most: Those that cost most.
        monotone: Whether the cost just rises, or just falls, from the lowest value to the
            highest, as far as they were tried.
        tried: How many values were tried and build.
    """

    net: Net
    cost: str
    target: float
    start: Point | None
    best: Point
    below: Point | None
    above: Point | None
    least: Point
    most: Point
    monotone: bool
    tried: int

    def off(self, point: Point) -> float:
        """Give how far a point is from the target, as a part of it; negative below."""
        return point.cost / self.target - 1


def fit(
    net: Net,
    cost: str,
    target: float,
    by: Sequence[str],
    *,
    within: float | None = None,
    low: Number | None = None,
    high: Number | None = None,
) -> Fit:
    """Solve for a number of the spec by what the network costs; several keep their ratios.

    Args:
        net: The spec.
        cost: One of `COSTS`.
        target: What it should be, above zero.
        by: Dotted paths of numbers in the spec: one, or several that grow by one factor.
        within: How far from the target the cost may be, as a part of it; None for as near as
            it gets between a value that costs less and one that costs more.
        low: The lowest value; only for one path.
        high: The highest value; only for one path.

    Raises:
        ArchError: As `nearest` does, or the target cannot be reached: the message names what can.
    """
    found = nearest(net, cost, target, by, low=low, high=high)
    where, aim, off = ", ".join(by), f"{target:,.12g} {cost}", abs(found.off(found.best))
    if found.below is None or found.above is None:
        if within is None or off > within:
            ends = " to ".join(f"{point.cost:,} ({point})" for point in (found.least, found.most))
            raise ArchError(where, f"no value gives {aim}; they reach {ends}")
    elif within is not None and off > within:
        sides = " and ".join(f"{each.cost:,} ({each})" for each in (found.below, found.above))
        message = f"no value gives {aim} within {100 * within:g}%; the nearest are {sides}"
        raise ArchError(where, message)
    return found


def nearest(
    net: Net,
    cost: str,
    target: float,
    by: Sequence[str],
    *,
    low: Number | None = None,
    high: Number | None = None,
) -> Fit:
    """Find the values whose cost is nearest to a target, be it near or not.

    From the value that the spec has, steps that double lead up and down, as far as the fields of
    the spec allow it, until one costs less than the target and one more; bisection does the rest.
    A whole number stays one; values that do not build (widths that groups do not divide) are
    passed over. Where the cost turns out not to be monotone, values between all those are tried
    too, and the nearest of them is given: there may be a nearer one.

    Args:
        net: The spec.
        cost: One of `COSTS`.
        target: What it should be, above zero.
        by: Dotted paths of numbers in the spec: one, or several that grow by one factor.
        low: The lowest value; only for one path.
        high: The highest value; only for one path.

    Raises:
        ArchError: No such cost or path, a path to what is no number, no value that builds, or
            none that changes the cost.
    """
    if cost not in COSTS:
        raise ArchError("", unknown("cost", cost, COSTS))
    if not (math.isfinite(target) and target > 0):
        raise ArchError(cost, f"a target is a number above zero, not {target:g}")
    return _Search(net, cost, target, Scale(net, by, low, high)).run()


class _Search:
    """One call of `nearest`: what was tried, by position on the scale."""

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
        """Give the cost at a position; None if nothing builds there."""
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
            return Point(values, _count(self.net.set(values), self.cost))
        except ArchError:
            return None

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
            self.net.set(self.scale.values(self.scale.start)).graph()
            raise AssertionError("what does not build says why")
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


def _count(net: Net, cost: str) -> int:
    if cost == "saved_bytes":
        return saved_bytes(net)
    count: int = getattr(cost_of(net), cost)
    return count
