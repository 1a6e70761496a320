"""Solving for numbers of a spec by what the network costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from archgen.errors import ArchError, unknown
from archgen.inverse.found import Fit
from archgen.inverse.scale import Number, Scale
from archgen.inverse.search import COSTS, Search
from archgen.spec import Net


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
    return Search(net, cost, target, Scale(net, by, low, high)).run()
