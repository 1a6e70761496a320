"""The Pareto front and its order, on rows. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archgen.study import Row
from archgen.study.report import front, ranked

if TYPE_CHECKING:
    from archgen.study.definition import Direction

BOTH: dict[str, Direction] = {"top1": "maximize", "macs": "minimize"}
ONE: dict[str, Direction] = {"loss": "minimize"}


def row(number: int, macs: int, **scores: float) -> Row:
    return Row(number, "complete", costs={"macs": macs}, scores={**scores, "macs": macs})


def numbers(rows: list[Row]) -> list[int]:
    return [found.number for found in rows]


def test_of_equal_candidates_the_earlier_stands_for_both() -> None:
    rows = [row(0, 5, top1=90.0), row(1, 5, top1=90.0)]
    assert numbers(front(rows, BOTH)) == numbers(front(rows[::-1], BOTH)) == [0]


def test_better_in_one_and_equal_in_the_other_beats() -> None:
    assert numbers(front([row(0, 6, top1=90.0), row(1, 5, top1=90.0)], BOTH)) == [1]
    assert numbers(front([row(0, 5, top1=80.0), row(1, 5, top1=90.0)], BOTH)) == [1]


def test_what_is_better_in_one_each_is_on_the_front() -> None:
    rows = [row(0, 5, top1=80.0), row(1, 9, top1=90.0), row(2, 9, top1=85.0)]
    assert numbers(front(rows, BOTH)) == [1, 0]


def test_one_score_has_one_best() -> None:
    """Of equal ones the one with fewer MACs, then the earlier."""
    rows = [row(0, 9, loss=0.5), row(1, 5, loss=0.5), row(2, 5, loss=0.5), row(3, 1, loss=0.6)]
    assert numbers(front(rows, ONE)) == [1]
    assert numbers(ranked(rows, ONE)) == [1, 2, 0, 3]


def test_only_complete_candidates_count() -> None:
    assert front([Row(0, "pruned"), Row(1, "duplicate", scores={"loss": 0.1})], ONE) == []
