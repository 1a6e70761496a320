"""The studies that ship: quick to load, with room, limits that bind, and their base inside."""

from __future__ import annotations

import time

import pytest

from archgen import cost, files
from archgen.study import Study, load_study
from archgen.study.definition import violations
from archgen.study.room import probe
from archgen.study.space import Choice

NAMES = files.names("studies")
FAMILIES = ["dpn", "drn", "dsnet", "mixed", "parnet", "pyramid"]


def test_each_family_has_a_study_for_a_cpu_and_one_for_a_gpu() -> None:
    assert sorted([*FAMILIES, *(f"{name}_cifar" for name in FAMILIES), "pyramid_fashion"]) == NAMES
    for name in FAMILIES:
        assert load_study(name).train.data == "digits"
        assert load_study(f"{name}_cifar").train.data == "cifar10"


def test_some_have_two_scores() -> None:
    two = [name for name in FAMILIES if len(load_study(name).score) == 2]
    assert two == ["dpn", "drn", "mixed"]
    for name in FAMILIES:
        assert load_study(name).score == load_study(f"{name}_cifar").score


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_fast_under_its_name(name: str) -> None:
    began = time.process_time()
    study = load_study(name)
    assert time.process_time() - began < 2
    assert study.name == name
    assert study.size is not None
    assert study.size > 2 * study.trials


@pytest.mark.parametrize("name", NAMES)
def test_its_limits_bind_and_leave_room(name: str) -> None:
    room = probe(load_study(name), seconds=120)
    assert room.tried == 200
    assert 0.3 <= room.share <= 0.8
    assert room.warnings() == []
    assert all(count for limit, count in room.excluded.items() if limit != "builds")
    assert room.excluded["builds"] < 20


@pytest.mark.parametrize("name", NAMES)
def test_its_spec_is_within_its_limits_or_near(name: str) -> None:
    study = load_study(name)
    paid = cost(study.net)
    over = violations(study, {limit: getattr(paid, limit) for limit in study.keep})
    assert max(over.values()) < 4


@pytest.mark.parametrize("name", NAMES)
def test_its_pruner_waits_for_a_part_of_the_epochs(name: str) -> None:
    study = load_study(name)
    if study.pruner.kind != "none":
        assert study.train.epochs / 4 <= study.pruner.warmup < study.train.epochs


def choices(study: Study) -> list[Choice]:
    return [vary for vary in study.vary.values() if isinstance(vary, Choice)]


@pytest.mark.parametrize("name", ["pyramid", "dsnet", "mixed", "drn"])
def test_some_parameters_exist_under_one_choice_only(name: str) -> None:
    for sibling in (name, f"{name}_cifar"):
        found = [
            value
            for choice in choices(load_study(sibling))
            for value in choice.values
            if choice.under(value)
        ]
        assert found, sibling
