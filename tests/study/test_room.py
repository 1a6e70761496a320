"""The probe counts what limits do, and says so when they do nothing or everything."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from digits_search import SPEC

from archgen.study import load_study
from archgen.study.definition import Study
from archgen.study.room import probe

from .conftest import Write


def test_limits_that_bind_are_not_worth_a_word(write: Write) -> None:
    room = probe(load_study(write()))
    assert room.size == 16
    assert room.tried == 200
    assert 0.3 < room.share < 0.9
    assert room.excluded["params.max"] == 200 - room.passed
    assert room.warnings() == []


def test_a_limit_that_never_binds_is_named(write: Write) -> None:
    room = probe(load_study(write(keep={"params": {"max": 1e6}, "macs": {"max": 900}})))
    assert room.warnings() == ["keep.params.max excludes none of 200 random candidates"]


def test_limits_that_exclude_all_are_named(write: Write) -> None:
    room = probe(load_study(write(keep={"params": {"max": 1}})))
    assert room.passed == 0
    assert room.warnings() == ["0 of 200 random candidates are feasible: params.max excludes 200"]


def test_candidates_that_do_not_build_are_counted(write: Write, tmp_path: Path) -> None:
    """Each end builds alone; six channels in four groups do not."""
    spec = SPEC.replace("  head:", "  mid: {block: conv_norm, width: 8}\n  head:")
    (tmp_path / "mid.yaml").write_text(spec)
    vary = {"stem.width": {"any": [4, 6]}, "mid.groups": {"any": [1, 4]}}
    room = probe(load_study(write(vary=vary, keep={}, spec="mid.yaml")))
    assert room.passed + room.excluded["builds"] == 200
    assert 20 < room.excluded["builds"] < 80


def test_it_always_looks_at_the_same_candidates(write: Write) -> None:
    study = load_study(write())
    assert probe(study, tries=50) == probe(study, tries=50)


def test_it_is_bounded_in_time(write: Write) -> None:
    assert probe(load_study(write()), seconds=0).tried == 1


@pytest.mark.parametrize(
    ("vary", "values"),
    [
        ({"from": 2, "to": 8, "step": 3}, {2, 5, 8}),
        ({"from": 2, "to": 4}, {2, 3, 4}),
        ({"any": [[1], "a", None]}, {"[1]", "'a'", "None"}),
    ],
)
def test_draws_are_the_values_of_the_range(write: Write, vary: object, values: set[object]) -> None:
    study = Study.model_validate(
        {"name": "a", "spec": "b", "vary": {"c": vary}, "score": {"top1": "maximize"}, "trials": 1}
    )
    chance = Random(0)
    drawn = [study.vary["c"].at(chance.random()) for _ in range(100)]
    assert {v if isinstance(v, int) else repr(v) for v in drawn} == values
    assert study.size == len(values)
