"""One column written in another way: a schedule that starts and ends where the numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archgen.explorer.schedules import Curve

QUANTUM = 8
"""Widths of a quantised schedule are multiples of it, as RegNet's (arXiv:2003.13678)."""


def forms(curve: Curve) -> dict[str, Any]:
    """Write the numbers of a node's units in the ways that a spec can, by what each is called.

    A schedule keeps the first and the last number, nearly: all its numbers are whole. Where those
    two are equal it ends at the double, so that there is something to turn.

    Args:
        curve: A number of each unit.
    """
    staged = bool(curve.names)
    parts = curve.stages if staged else tuple((value,) for value in curve.values)
    found: dict[str, Any] = {"one value": curve.values[0], "list": [part[0] for part in parts]}
    if staged:
        found["first and rest"] = [{"first": part[0], "rest": part[-1]} for part in parts]
    if all(isinstance(value, int) for value in curve.values) and len(curve.values) > 1:
        found |= _schedules(curve.values, len(parts))
    return found


def _schedules(values: Sequence[float], parts: int) -> dict[str, Any]:
    first, last, units = values[0], values[-1], len(values)
    last = last if last != first else 2 * first
    step, ratio = (last - first) / (units - 1), (last / first) ** (1 / (units - 1))
    growth = (last / first) ** (1 / max(1, parts - 1))
    # A schedule that goes from unit to unit has grown once before the first one.
    begin = first - step if first > step else first
    found: dict[str, Any] = {
        "additive": {"start": begin, "alpha": last - begin},
        "multiplicative": {"start": first / ratio, "alpha": ratio**units},
        "geometric": {"start": first, "ratio": growth},
        "cycle": {"of": [first, last]},
    }
    if step > 0:
        found["quantised"] = {"start": first, "slope": step, "ratio": 2, "step": QUANTUM}
    return {kind: {"kind": kind, **_short(found[kind])} for kind in sorted(found)}


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    """Write numbers with as many digits as a person would."""
    return {
        key: float(f"{value:.6g}") if isinstance(value, float) else value
        for key, value in fields.items()
    }
