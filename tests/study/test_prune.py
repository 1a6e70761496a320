"""The median rule, on curves."""

from __future__ import annotations

from archgen.study import Row
from archgen.study.prune import behind, rivals
from archgen.study.space import Direction, Pruner

OTHERS = [(10.0, 20.0, 90.0), (20.0, 40.0, 80.0), (30.0, 60.0, 70.0)]
PRUNER = Pruner(startup=3, warmup=1)


def up(curve: tuple[float, ...], pruner: Pruner = PRUNER) -> bool:
    return behind(curve, OTHERS, pruner=pruner, direction="maximize")


def test_below_the_median_at_the_same_epoch_is_behind() -> None:
    assert up((5.0, 39.0))
    assert not up((5.0, 40.0))


def test_the_best_so_far_counts() -> None:
    assert not up((45.0, 1.0))


def test_for_a_loss_below_is_better() -> None:
    assert behind((9.0, 41.0), OTHERS, pruner=PRUNER, direction="minimize") is False
    assert behind((99.0, 41.0), OTHERS, pruner=PRUNER, direction="minimize")


def test_rivals_cost_no_more_where_a_cost_is_a_score() -> None:
    def row(number: int, params: int, **more: float) -> Row:
        scores = {**more, "params": params} if more else {}
        state = "complete" if more else "running"
        return Row(number, state, costs={"params": params}, scores=scores)

    rows = [row(0, 10, top1=50.0), row(1, 20, top1=60.0), row(2, 30, top1=70.0), row(3, 5)]

    def found(params: int, score: dict[str, Direction]) -> list[int]:
        return [other.number for other in rivals(row(4, params), rows, score)]

    assert found(9, {"top1": "maximize", "params": "minimize"}) == []
    assert found(20, {"params": "minimize", "top1": "maximize"}) == [0, 1]
    assert found(20, {"top1": "maximize", "params": "maximize"}) == [1, 2]
    assert found(9, {"top1": "maximize"}) == [0, 1, 2]
    assert found(9, {"top1": "maximize", "loss": "minimize"}) == [0, 1, 2]


def test_patience() -> None:
    assert not up((0.0,))  # within the warm-up
    assert not up((0.0, 0.0), Pruner(startup=4, warmup=1))  # too few to compare with
    assert not up((0.0, 0.0, 0.0, 0.0))  # none came so far
    assert not up((0.0, 0.0), Pruner(kind="none"))
