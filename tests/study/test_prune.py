"""The rules by which a candidate is given up, on curves: their laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.study import Row, Study
from archgen.study.prune import gives_up

OTHERS = [(10.0, 20.0, 90.0), (20.0, 40.0, 80.0), (30.0, 60.0, 70.0)]
ONE, TWO = {"top1": "maximize"}, {"top1": "maximize", "params": "minimize"}


def study(score: dict[str, str] | None = None, epochs: int = 9, **pruner: Any) -> Study:
    return Study.model_validate(
        {
            "name": "a",
            "spec": "b",
            "vary": {"c": {"from": 1, "to": 9}},
            "score": score or ONE,
            "train": {"epochs": epochs},
            "trials": 1,
            "pruner": {"startup": 3, "warmup": 1, **pruner},
        }
    )


def row(number: int, curve: tuple[float, ...], state: Any = "running", params: int = 100) -> Row:
    scores = {"top1": curve[-1], "params": params} if state == "complete" else {}
    return Row(
        number, state, costs={"params": params}, scores=scores, curve=curve, epochs=len(curve)
    )


def up(curve: tuple[float, ...], told: Study | None = None) -> bool:
    others = [row(number, other, "complete") for number, other in enumerate(OTHERS)]
    return gives_up(row(9, curve), others, told or study())


def test_below_the_median_at_the_same_epoch_is_behind() -> None:
    assert up((5.0, 39.0))
    assert not up((5.0, 40.0))


def test_the_best_so_far_counts() -> None:
    assert not up((45.0, 1.0))


def test_for_a_loss_below_is_better() -> None:
    loss = study({"loss": "minimize"})
    assert not up((9.0, 41.0), loss)
    assert up((99.0, 41.0), loss)


def test_patience() -> None:
    assert not up((0.0,))  # within the warm-up
    assert not up((0.0, 0.0), study(startup=4))  # too few to compare with
    assert not up((0.0, 0.0, 0.0, 0.0))  # none came so far
    assert not up((0.0, 0.0), study(kind="none"))
    assert not up((0.0, 0.0), study(epochs=2))  # nothing is left to save


def test_the_median_is_that_of_complete_candidates() -> None:
    others = [row(number, (9.0, 9.0), state) for number, state in enumerate(["running", "pruned"])]
    assert not gives_up(row(9, (0.0, 0.0)), others, study(startup=1))


@pytest.mark.parametrize("kind", ["median", "halving"])
def test_rivals_cost_no_more_where_a_cost_is_a_score(kind: str) -> None:
    rows = [row(n, (50.0, 60.0), "complete", params) for n, params in enumerate([10, 20, 30])]
    told = study(TWO, kind=kind, startup=1, eta=2)
    assert not gives_up(row(9, (1.0, 2.0), params=9), rows, told)
    assert gives_up(row(9, (1.0, 2.0), params=20), rows, told)
    assert gives_up(row(9, (1.0, 2.0), params=9), rows, study(ONE, kind=kind, startup=1, eta=2))


def test_halving_looks_at_rungs_only() -> None:
    rows = [row(number, (50.0,) * 20, "complete") for number in range(5)]
    told = study(kind="halving", eta=3, epochs=20)
    given_up = [epoch for epoch in range(1, 20) if gives_up(row(9, (1.0,) * epoch), rows, told)]
    assert given_up == [2, 6, 18]


def test_halving_counts_all_that_came_to_the_rung() -> None:
    states = ["running", "pruned", "diverged", "complete", "running", "pruned"]
    rows = [row(n, (float(n), float(n)), state) for n, state in enumerate(states)]
    rows += [row(7, (99.0,)), row(8, (99.0, 99.0), "failed"), row(9, (9.0, 9.0), "duplicate")]
    told = study(kind="halving", eta=3)
    # Of seven there, itself included, the best three go on.
    assert [gives_up(row(10, (x, x)), rows, told) for x in (2.5, 3.5)] == [True, False]


CURVE = st.lists(st.floats(0, 100), min_size=3, max_size=3).map(tuple)
RULES = [
    study(kind=kind, startup=startup, warmup=warmup, eta=eta)
    for kind, eta in [("median", 3), ("halving", 2), ("halving", 3), ("halving", 5)]
    for startup, warmup in [(1, 0), (3, 1), (1, 2)]
]


@given(st.sampled_from(RULES), st.lists(CURVE, max_size=9), CURVE, st.sampled_from([1, 2, 3]))
def test_laws(told: Study, curves: list[Any], mine: Any, epoch: int) -> None:
    rows = [row(number, curve, "complete") for number, curve in enumerate(curves)]
    late = row(99, mine[:epoch])
    pruned = gives_up(late, rows, told)
    assert not gives_up(late, [], told)
    if epoch <= told.pruner.warmup or len(rows) < told.pruner.startup:
        assert not pruned
    assert gives_up(late, [*rows, late], told) == pruned, "itself is no rival"
    if not pruned:
        better = row(99, tuple(min(100.0, value + 1) for value in mine[:epoch]))
        assert not gives_up(better, rows, told)


@given(st.lists(CURVE, min_size=1, max_size=12), st.sampled_from([2, 3, 5]))
def test_a_rung_keeps_its_part(curves: list[Any], eta: int) -> None:
    told = study(kind="halving", startup=1, warmup=2, eta=eta)
    rows = [row(number, curve) for number, curve in enumerate(curves)]
    kept = [each for each in rows if not gives_up(each, rows, told)]
    assert len(kept) * eta >= len(rows)
    lost = [max(each.curve) for each in rows if each not in kept]
    assert max(lost, default=0.0) < min(max(each.curve) for each in kept) or not lost
