"""Members of a module that are drawn as one box: runs of equal ones, and what is too many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")


def folded(members: Sequence[T], most: int, alike: Callable[[T], Hashable]) -> list[list[T]]:
    """Put members together until there are at most `most` boxes; few enough stay as they are.

    Of a run of equal ones the first two and the last stay. Where that does not do, the
    middle becomes one.
    """
    if len(members) <= most:
        return [[each] for each in members]
    boxes: list[list[T]] = []
    for _, equal in groupby(members, alike):
        run = list(equal)
        boxes += [[each] for each in run] if len(run) < 5 else _without_middle(run)
    if len(boxes) <= most:
        return boxes
    head, tail = most // 2, most - most // 2 - 1
    middle = [each for box in boxes[head : len(boxes) - tail] for each in box]
    return [*boxes[:head], middle, *boxes[len(boxes) - tail :]]


def _without_middle(run: list[T]) -> list[list[T]]:
    return [run[:1], run[1:2], run[2:-1], run[-1:]]


def around(members: Sequence[T], at: int, near: int) -> list[list[T]]:
    """Keep one member and those at most `near` from it; what is further becomes one on each side.

    A single one further away stays itself.
    """
    start, stop = max(0, at - near), at + near + 1
    kept = [[each] for each in members[start:stop]]
    return [box for box in (list(members[:start]), *kept, list(members[stop:])) if box]
