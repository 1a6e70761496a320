"""The recipe: bounds, the learning rate's course, and what a data set asks."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from archgen.train.recipe import Recipe
from archgen.train.recipes import RECIPES


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
        {"recipe": "pyramidnet"},
        {"optimizer": "adam"},
        {"schedule": "linear"},
        {"milestones": [0.5, 0.4]},
        {"milestones": [0.5, 0.5]},
        {"milestones": [1.5]},
        {"gamma": 0.0},
        {"mixup": -0.1},
        {"ema": 1.0},
        {"clip": 0.0},
        {"batch": 8, "accumulate": 5},
        {"precision": "half"},
        {"memory_format": "nhwc"},
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


def test_rate_falls_in_steps() -> None:
    recipe = Recipe(
        epochs=8, lr=0.4, warmup=1.0, schedule="step", milestones=(0.25, 0.5), gamma=0.5
    )
    rates = [recipe.rate(step, 5) for step in range(40)]
    assert rates[:5] == pytest.approx([0.4 * step / 6 for step in range(1, 6)])
    assert rates[5:10] == [0.4] * 5
    assert rates[10:20] == pytest.approx([0.2] * 10)
    assert rates[20:] == pytest.approx([0.1] * 20)


def test_thirds_of_a_run_fall_between_epochs() -> None:
    recipe = Recipe(recipe="drn_imagenet")
    steps = 5004
    rates = [recipe.rate(epoch * steps, steps) for epoch in range(90)]
    assert rates == pytest.approx([0.1] * 30 + [0.01] * 30 + [0.001] * 30)
    assert recipe.rate(30 * steps - 1, steps) == 0.1


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_gives_the_defaults(name: str) -> None:
    named = RECIPES[name]
    given = {**Recipe().model_dump(), **named.values, "recipe": name}
    assert Recipe(recipe=name).model_dump() == given
    assert "arXiv:" in named.source
    changed = Recipe(recipe=name, epochs=3, lr=0.5)
    assert changed.model_dump() == {**given, "epochs": 3, "lr": 0.5}
    # What is written down says all, and gives the same again.
    assert Recipe.model_validate_json(changed.model_dump_json()) == changed


def test_an_unknown_recipe_names_the_others() -> None:
    with pytest.raises(ValidationError, match=r"did you mean 'resnet_cifar'.*there are: dpn_image"):
        Recipe(recipe="resnet_cifr")


def test_recipe_imports_no_torch() -> None:
    code = "import sys, archgen.train.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
