"""What varies: values of ranges, and choices whose values bring parameters of their own."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
from digits_search import STUDY

from archgen import yamlfile
from archgen.errors import ArchError
from archgen.study import Study, candidate, load_study
from archgen.study.space import Range, combination, everything, label, values_at, walk

from .conftest import Write

VARY = """\
vary:
  stem.width: {from: 4, to: 6}
  stem.block:
    any:
      - conv_norm
      - value: conv
        vary:
          stem.groups:
            any: [1, 2]
          stem.kernel: {from: 1, to: 5, step: 2}
      - value: null
        vary:
          stem.kernel:
            any:
              - 1
              - value: 3
                vary:
                  stem.dilation: {from: 1, to: 2}
"""
KERNEL = "  stem.kernel: {any: [1, 3]}\n"


def study(vary: dict[str, Any]) -> Study:
    keys = {"name": "a", "spec": "b", "score": {"top1": "maximize"}, "trials": 1}
    return Study.model_validate({**keys, "vary": vary})


def nested() -> Study:
    return study(yamlfile.parse(VARY).value["vary"])


def test_combinations_are_counted_and_numbered() -> None:
    """Three widths; under them 1, 2 * 3 and 1 + 2 values."""
    told = nested()
    assert told.size == 3 * (1 + 6 + 3)
    found = [combination(told.vary, index) for index in range(told.size)]
    assert len({label(values) for values in found}) == told.size
    assert {"stem.width": 4, "stem.block": None, "stem.kernel": 3, "stem.dilation": 2} in found
    assert {"stem.width": 6, "stem.block": "conv_norm"} in found


def test_draws_are_combinations_and_all_come_up() -> None:
    told = nested()
    chance = Random(0)
    drawn = {label(values_at(told.vary, lambda _: chance.random())) for _ in range(2000)}
    assert drawn == {label(combination(told.vary, index)) for index in range(told.size or 0)}


def test_names_carry_the_branch() -> None:
    told = nested()
    assert [*everything(told.vary)] == [
        "stem.width",
        "stem.block",
        "stem.block=conv/stem.groups",
        "stem.block=conv/stem.kernel",
        "stem.block=null/stem.kernel",
        "stem.block=null/stem.kernel=3/stem.dilation",
    ]
    values = {"stem.width": 4, "stem.block": None, "stem.kernel": 3, "stem.dilation": 2}
    names = [each.name for each in walk(told.vary, lambda _, path, __: values[path])]
    assert names == [*everything(told.vary)][:2] + [*everything(told.vary)][4:]


def test_words_and_what_reads_like_them_have_names_of_their_own() -> None:
    words = [1, "1", None, "null", True, "true", "a b", "conv", [1], {"kind": "conv"}]
    below = {"value": 0, "vary": {"x": {"from": 1, "to": 2}}}
    told = study({"c": {"any": [{**below, "value": word} for word in words]}})
    names = [name for name in everything(told.vary) if name != "c"]
    assert len(set(names)) == len(words)
    assert "c=conv/x" in names


def test_the_data_of_a_study_loads_to_it() -> None:
    told = nested()
    assert Study.model_validate(json.loads(json.dumps(told.data()))) == told
    plain = study({"c": {"any": [{"a": None}, None, {"join": "dual"}]}})
    assert Study.model_validate(plain.data()) == plain


def test_the_schema_knows_values_with_parameters() -> None:
    schema = Study.model_json_schema()
    good = nested().data()
    jsonschema.validate(good, schema)
    jsonschema.validate(study({"c": {"any": [1, "a", {"a": None}, None]}}).data(), schema)
    good["vary"]["stem.block"]["any"][1]["vray"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good, schema)


@pytest.mark.parametrize(
    "told",
    [
        {"from": 3, "to": 40},
        {"from": 3, "to": 400, "log": True},
        {"from": 0.1, "to": 0.7, "step": 0.1},
        {"from": 1, "to": 2.5, "step": 0.25},
        {"from": 0.001, "to": 1.0, "log": True},
        {"from": -1.0, "to": 1.0},
    ],
)
def test_values_of_a_range(told: dict[str, Any]) -> None:
    values = Range.model_validate(told)
    drawn = [values.at(part / 1000) for part in range(1000)]
    assert drawn == sorted(drawn)
    assert drawn[0] == pytest.approx(told["from"])
    assert drawn[-1] <= told["to"]
    assert all(values.snap(value) == value for value in drawn)
    if values.size is not None:
        every = [values.nth(index) for index in range(values.size)]
        assert set(drawn) <= set(every)
        assert (every[0], every[-1]) == (told["from"], told["to"])
        assert all(len(str(value)) < 8 for value in every)


def under(text: str) -> str:
    """The tiny study with a choice whose second value has parameters, below the kernel's line."""
    return STUDY.replace(KERNEL, f"  stem.kernel:\n    any:\n      - 1\n{text}")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "      - value: 3\n        vary:\n          stem.groups: {any: [1, 3]}\n",
            10,
            "vary.stem.kernel.any.1.vary.stem.groups.any.1: 3 does not build: ",
        ),
        (
            "      - value: 0\n        vary:\n          stem.eps: {from: 0.1, to: 0.2}\n",
            8,
            "vary.stem.kernel.any.1.value: 0 does not build: ",
        ),
        (
            "      - value: 3\n        vary:\n          stem.stride: {from: 1, too: 2}\n",
            10,
            "stem.stride.too: no key 'too'; did you mean 'to'?",
        ),
        (
            "      - value: 3\n        vray:\n          stem.stride: {from: 1, to: 2}\n",
            9,
            "vary.stem.kernel.any.1.vray: no key 'vray'; did you mean 'vary'?",
        ),
        ("      - value: 3\n", 8, "vary.stem.kernel.any.1.vary: this field is required"),
        ("      - {value: 3, vary: {}}\n", 8, "any.1.vary: give at least 1, not 0"),
        (
            "      - value: 1\n        vary:\n          stem.stride: {from: 1, to: 2}\n",
            5,
            "vary.stem.kernel: each choice must stand there once",
        ),
        (
            "      - value: 3\n        vary:\n          stem.width: {from: 1, to: 2}\n",
            10,
            "stem.width: varies outside this value too; in one candidate a path varies only once",
        ),
        (
            "      - value: 3\n        vary:\n          stem.kernel: {from: 1, to: 2}\n",
            10,
            "stem.kernel: varies outside this value too",
        ),
    ],
)
def test_mistakes_under_a_value_have_their_place(
    write: Write, text: str, line: int, said: str
) -> None:
    path = write(under(text))
    with pytest.raises(ArchError) as caught:
        load_study(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:{line}: ")
    assert said in message


def test_a_path_may_vary_under_two_values_but_not_in_two_choices(write: Write) -> None:
    eps: dict[str, Any] = {"stem.eps": {"from": 0.01, "to": 0.1}}
    two = {"any": [{"value": 1, "vary": eps}, {"value": 3, "vary": eps}]}
    assert load_study(write(vary={"stem.kernel": two})).size is None
    both = {"stem.kernel": two, "stem.width": {"any": [{"value": 4, "vary": eps}, 5]}}
    with pytest.raises(ArchError, match=r"any\.0\.vary\.stem\.eps: varies outside this value too"):
        load_study(write(vary=both))


def test_values_stand_in_one_another_four_deep(write: Write) -> None:
    paths = ["stem.width", "stem.kernel", "stem.stride", "stem.groups", "stem.eps", "stem.act"]

    def deep(count: int) -> dict[str, Any]:
        vary: dict[str, Any] = {paths[count]: {"any": [1, 2]}}
        for path in reversed(paths[:count]):
            vary = {path: {"any": [{"value": 1, "vary": vary}, 2]}}
        return vary

    with pytest.raises(ArchError, match="stand in one another 4 deep at most"):
        load_study(write(vary=deep(5)))
    with pytest.raises(ArchError, match="does not build"):
        load_study(write(vary=deep(4)))


def test_what_needs_several_parameters_is_tried_with_all(write: Write, tmp_path: Path) -> None:
    """Three groups suit none of the spec's widths, and no one of the two others alone."""
    spec = "name: mid\ninput: [1, 8, 8]\nnodes:\n  stem: {block: conv_norm, width: 4}\n"
    spec += "  mid: {block: conv_norm, width: 8}\n  head: {block: pool_linear, classes: 10}\n"
    (tmp_path / "mid.yaml").write_text(spec)
    under = {"stem.width": {"any": [6, 9]}, "mid.width": {"any": [6, 9]}}
    vary = {"mid.groups": {"any": [1, {"value": 3, "vary": under}]}}
    told = load_study(write(vary=vary, spec="mid.yaml"))
    assert told.size == 5
    with pytest.raises(ArchError, match="groups"):
        candidate(told, {"mid.groups": 3})
    under["mid.width"] = {"any": [6, 8]}
    with pytest.raises(ArchError, match=r"vary\.mid\.width\.any\.1: 8 does not build"):
        load_study(write(vary=vary, spec="mid.yaml"))


def test_a_grid_has_an_end(write: Write) -> None:
    grid = {"kind": "grid", "seed": 0}
    assert load_study(write(sampler=grid)).size == 16
    endless = {
        "stem.kernel": {"any": [1, {"value": 3, "vary": {"stem.eps": {"from": 0.1, "to": 1}}}]}
    }
    with pytest.raises(ArchError, match=r"an end: give stem\.kernel=3/stem\.eps a step"):
        load_study(write(sampler=grid, vary=endless))
    wide = {
        "stem.width": {"from": 2, "to": 8000},
        "stem.eps": {"from": 0.1, "to": 1.0, "step": 0.01},
    }
    with pytest.raises(ArchError, match=r"sampler\.kind: a grid has at most 100,000 combinations"):
        load_study(write(sampler=grid, vary=wide))
