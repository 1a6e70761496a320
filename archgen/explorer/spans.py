"""How far a slider goes: from about half of a number to its double, as far as its field allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archgen.explorer.knobs import Knob

LEAST = 3
"""A small whole number can be turned by so many steps either way, at least."""
STEPS = 16
"""Into so many steps, or a few more, the way from nothing to a number is cut."""


@dataclass(frozen=True)
class Span:
    """The numbers of a slider; all are whole, or none.

    Args:
        low: The lowest.
        high: The highest.
        step: From one to the next.
    """

    low: float
    high: float
    step: float


def span(knob: Knob, origin: float) -> Span | None:
    """Give the slider of a number.

    Args:
        knob: What is turned. Its value is in the span, wherever that lies.
        origin: The number that it was at first; it has a place on the slider.

    Returns:
        The span, or None if no range is sensible: around a zero without near bounds.
    """
    if not origin:
        return _around_zero(knob)
    even = knob.whole or (origin == round(origin) and abs(origin) >= STEPS)
    step = _whole_step(knob, origin) if even else _step(abs(origin) / STEPS)
    ends = sorted((origin / 2, origin * 2))
    if knob.whole:
        ends = [min(ends[0], origin - LEAST * step), max(ends[1], origin + LEAST * step)]
    value = origin if knob.number is None else knob.number
    down = max(math.floor((origin - ends[0]) / step), math.ceil((origin - value) / step))
    up = max(math.floor((ends[1] - origin) / step), math.ceil((value - origin) / step))
    if knob.low is not None:
        down = min(down, math.floor((origin - knob.low) / step))
    if knob.high is not None:
        up = min(up, math.floor((knob.high - origin) / step))
    low, high = _exact(knob, origin - down * step), _exact(knob, origin + up * step)
    return Span(low, high, step) if low <= value <= high and low < high else None


def _around_zero(knob: Knob) -> Span | None:
    """Give all that a part of one may be, such as a probability."""
    if knob.whole or knob.low != 0 or knob.high != 1:
        return None
    return Span(0.0, 0.95, 0.05)


def _whole_step(knob: Knob, origin: float) -> int:
    """Give a power of two that keeps what divides the number, so that groups still do."""
    step = 2 if knob.odd else 1
    while not knob.odd and origin % (2 * step) == 0 and 2 * step * STEPS <= abs(origin):
        step *= 2
    return step


def _step(size: float) -> float:
    """Give the greatest of 1, 2 and 5 times a power of ten that is no greater."""
    power = math.floor(math.log10(size))
    lead = max(digit for digit in (1, 2, 5) if digit * 10.0**power <= size * (1 + 1e-9))
    return float(f"{lead}e{power}")


def _exact(knob: Knob, value: float) -> float:
    return int(value) if knob.whole else float(f"{value:.12g}")
