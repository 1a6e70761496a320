from __future__ import annotations

from archgen.explorer.settings import changed, settings
from archgen.study import load_study
from archgen.study.definition import Pruner, Study
from archgen.train.recipe import Recipe


def test_every_field_of_a_recipe_is_a_setting_with_its_bounds_and_help() -> None:
    found = {each.path: each for each in settings(Recipe(epochs=3), "train")}
    fields = Recipe.model_fields
    assert [*found] == [f"train.{name}" for name in fields if name != "milestones"]
    assert all(each.help == fields[path[6:]].description for path, each in found.items())
    epochs = found["train.epochs"]
    assert (epochs.kind, epochs.value, epochs.low, epochs.high) == ("whole", 3, 1, 10_000)
    assert found["train.schedule"].options == ("cosine", "step")
    assert (found["train.data"].kind, found["train.data"].value) == ("text", "digits")
    assert found["train.nesterov"].kind == "flag"
    clip = found["train.clip"]
    assert (clip.label, clip.kind, clip.value, clip.low, clip.high) == (
        "Clip", "number", None, 0, None,
    )  # fmt: skip


def test_models_in_a_model_are_left_out() -> None:
    study: Study = load_study("pyramid")
    assert [each.path for each in settings(study)] == ["name", "spec", "trials", "weights"]
    assert [each.path for each in settings(Pruner(), without=["eta", "kind"])] == [
        "startup", "warmup",
    ]  # fmt: skip


def test_a_change_makes_and_takes_away_keys_and_leaves_the_rest() -> None:
    data = {"train": {"lr": 0.1, "epochs": 2}, "trials": 4}
    new = changed(data, {"train.lr": None, "train.clip": 1.0, "sampler.seed": 3, "trials": 5})
    assert new == {"train": {"epochs": 2, "clip": 1.0}, "trials": 5, "sampler": {"seed": 3}}
    assert data == {"train": {"lr": 0.1, "epochs": 2}, "trials": 4}
