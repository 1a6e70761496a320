"""The recipe: bounds, the learning rate's course, and what a data set asks."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from archgen.train.recipe import Recipe


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"batch": 1},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"momentum": 1.0},
        {"weight_decay": -1e-4},
        {"label_smoothing": 1.0},
        {"data": "mnist"},
        {"seed": -1},
        {"learning_rate": 0.1},
    ],
)
def test_refuses_what_is_out_of_bounds(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(bad)


def test_rate_warms_up_to_lr_and_falls_to_zero() -> None:
    recipe = Recipe(epochs=10, lr=0.4, warmup=2.0)
    rates = [recipe.rate(step, 5) for step in range(50)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == pytest.approx(0.4)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.002
    assert recipe.rate(30, 5) == pytest.approx(0.2)  # half way down


def test_rate_without_warmup_starts_at_lr() -> None:
    assert Recipe(epochs=3, lr=0.4, warmup=0.0).rate(0, 7) == pytest.approx(0.4)


def test_rate_with_more_warmup_than_epochs_only_climbs() -> None:
    recipe = Recipe(epochs=2, lr=0.4, warmup=9.0)
    rates = [recipe.rate(step, 5) for step in range(10)]
    assert rates == sorted(rates)
    assert rates[-1] < 0.4


def test_recipe_imports_no_torch() -> None:
    code = "import sys, archgen.train.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
