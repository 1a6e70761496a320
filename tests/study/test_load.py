"""A study file is checked whole before anything is searched: one clear line each."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from digits_search import STUDY

import archgen
from archgen import files
from archgen.errors import ArchError
from archgen.study import Study, candidate, load_study, search
from archgen.study.definition import violations
from archgen.train.datasets import DATA_SETS

from .conftest import Write

TOGETHER = "give equal, within and by together, without max and min"
EQUAL = "equal: 170, within: 5%, by: stem.width"
FIVE = "vary.head.classes.any.1: 5 does not build: classes: digits has 10 classes, the network has"
COLOUR = "vary.input.any.1: [3, 8, 8] does not build: digits has images of 1x8x8"
THREE = "{top1: maximize, loss: minimize, macs: minimize}"
HEADLESS = "does not build: classes: digits has 10 classes, the network has no head with classes"


def test_a_study_has_its_spec_and_its_defaults(write: Write) -> None:
    study = load_study(write())
    assert study.net.name == "small"
    assert study.size == 16
    assert study.pruner.kind == "median"
    assert study.train.momentum == 0.9


@pytest.mark.parametrize("name", files.names("studies"))
def test_shipped_studies_load(name: str) -> None:
    assert load_study(name).name == name


def test_a_spec_may_be_named(write: Write) -> None:
    study = load_study(
        write(spec="pyramidnet_digits", vary={"stages.width.alpha": {"from": 4, "to": 9}})
    )
    assert study.net.name == "pyramidnet_digits"


def test_a_part_of_a_list_that_varies_is_not_solved_for(write: Write) -> None:
    path = write(
        spec="pyramidnet_digits",
        vary={"stages.depth": {"any": [[1, 1, 1], [2, 1, 1]]}},
        keep={"params": {"equal": 60e3, "within": "9%", "by": "stages.depth.0"}},
    )
    with pytest.raises(ArchError, match=r"keep\.params\.by: stages\.depth varies too, and "):
        load_study(path)


def test_whole_units_may_vary(write: Write) -> None:
    dual = {"block": "bottleneck", "expand": 1, "shortcut": {"join": "dual", "grow": 8}}
    units = ["basic", {"block": "basic_preact", "se": 4}, dual]
    study = load_study(write(spec="drn_digits", vary={"stages.block": {"any": units}}))
    nets = [candidate(study, {"stages.block": unit}) for unit in units]
    assert [net.get("stages.block") for net in nets] == ["basic", "basic_preact", "bottleneck"]
    assert nets[0].digest() == study.net.digest()
    assert nets[2].get("stages.shortcut.grow") == 8


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("trials: 4", "trails: 4", 11, "trails: no key 'trails'; did you mean 'trials'?"),
        ("trials: 4", "trials: 0", 11, "trials: give at least 1, not 0"),
        ("trials: 4", "trials: many", 11, 'trials: give a whole number, not "many"'),
        ("trials: 4", "", 1, "trials: this field is required"),
        ("name: tiny", "name: ../tiny", 1, "name: give small letters, digits and _"),
        ("kind: random", "kind: hyper", 10, "sampler.kind: give 'tpe', 'nsga2', 'gp', "),
        ("seed: 0}\ntrials", "sede: 0}\ntrials", 10, "sampler.sede: no key 'sede'; did you mean"),
        ("epochs: 2", "epoch: 2", 9, "train.epoch: no key 'epoch'; did you mean 'epochs'?"),
        ("data: digits", "data: mnist", 9, "train.data: no data set 'mnist' (there are: cifar10"),
        ("top1: max", "top5: max", 8, "score.top5: no score 'top5'; did you mean 'top1'?"),
        ("top1: maximize", "top1: minimize", 8, "score.top1: top1 can only be maximized"),
        ("top1: maximize", "macs: minimize", 8, "score: at least one score must come from"),
        ("top1: maximize", "top1: up", 8, "score.top1: give 'maximize' or 'minimize', not"),
        ("params: {", "flops: {", 7, "keep.flops: no cost 'flops'"),
        ("max: 170", "max: lots", 7, 'keep.params.max: give a number, not "lots"'),
        ("max: 170", "most: 170", 7, "keep.params.most: no key 'most'"),
        ("{max: 170}", "{}", 7, "keep.params: give max, min or both"),
        ("max: 170", "max: 1, min: 2", 7, "keep.params: min 2.0 must not be above max 1"),
        ("max: 170", "max: 1, equal: 170", 7, f"keep.params: {TOGETHER}"),
        ("max: 170", "equal: 170, by: stem.width", 7, f"keep.params: {TOGETHER}"),
        ("max: 170", "within: 2%", 7, f"keep.params: {TOGETHER}"),
        ("max: 170", EQUAL.replace("170", "0"), 7, "keep.params.equal: give more than 0.0, not 0"),
        ("max: 170", EQUAL.replace("5%", "0.05"), 7, "keep.params.within: '0.05' is no percentage"),
        ("max: 170", EQUAL, 7, "keep.params.by: stem.width varies too; a number is either varied"),
        ("max: 170", EQUAL.replace("width", "wdith"), 7, "keep.params.by: stem.wdith: no key"),
        ("max: 170", EQUAL.replace("width", "block"), 7, "keep.params.by: stem.block: is 'conv_n"),
        (
            "max: 170",
            EQUAL.replace("width", "stride"),
            7,
            "keep.params.by: stem.stride: changes no",
        ),
        ("from: 2, to: 9", "from: 9, to: 2", 4, "vary.stem.width: from 9 must be below to 2"),
        ("from: 2, to: 9", "from: 2, too: 9", 4, "vary.stem.width."),
        ("to: 9", "to: 9, step: 2", 4, "vary.stem.width: steps of 2 from 2 never reach 9"),
        ("to: 9", "to: 9, step: 0", 4, "vary.stem.width: step 0 must be above zero"),
        ("to: 9", "to: 9, step: 1, log: true", 4, "vary.stem.width: a log range takes no step"),
        ("{top1: maximize}", "{}", 8, "score: give at least 1, not 0"),
        ("{top1: maximize}", THREE, 8, "score: give at most 2, not 3"),
        ("{top1: maximize}", "top1", 8, 'score: give a mapping, not "top1"'),
        ("lr: 0.1", "lr: fast", 9, 'train.lr: give a number, not "fast"'),
        ("from: 2", "from: two", 4, 'vary.stem.width.from: give a number, not "two"'),
        ("max: 170", "max: .inf", 7, "keep.params.max: give a finite number, not Infinity"),
        ("any: [1, 3]", "any: 3", 5, "vary.stem.kernel.any: give a list, not 3"),
        (
            "any: [1, 3]",
            "ayn: [1, 3]",
            5,
            "vary.stem.kernel.ayn: no key 'ayn'; did you mean 'any'?",
        ),
        ("{from: 2, to: 9}", "7", 4, "vary.stem.width: give a mapping, not 7"),
        ("any: [1, 3]", "any: [3]", 5, "vary.stem.kernel.any: "),
        ("any: [1, 3]", "any: [3, 3]", 5, "vary.stem.kernel: each choice must stand there once"),
        ("any: [1, 3]", "any: [3, 0]", 5, "vary.stem.kernel.any.1: 0 does not build: "),
        ("from: 2", "from: 0", 4, "vary.stem.width.from: 0 does not build: "),
        ("from: 2", "from: 1.5", 4, "vary.stem.width.from: 1.5 does not build: "),
        ("stem.kernel: {any: [1, 3]}", "head.classes: {any: [10, 5]}", 5, FIVE),
        ("stem.kernel: {any: [1, 3]}", "input: {any: [[1, 8, 8], [3, 8, 8]]}", 5, COLOUR),
        ("stem.kernel: {any: [1, 3]}", "outputs: {any: [[head], [stem, head]]}", 5, HEADLESS),
        ("stem.width", "stem.widht", 4, "vary.stem.widht.from: 2 does not build: "),
        ("stem.width", "stam.width", 4, "vary.stam.width.from: 2 does not build: "),
        ("small.yaml", "missing.yaml", 2, "spec: "),
        ("small.yaml", "nothing_like_it", 2, "spec: no spec 'nothing_like_it'"),
        ("name: tiny", "name: tiny\nname: tiny", 2, "name: "),
        ("name: tiny", "- name", 2, "not valid YAML"),
    ],
)
def test_each_mistake_is_one_line_with_its_place(
    write: Write, old: str, new: str, line: int, said: str
) -> None:
    assert old in STUDY
    path = write(STUDY.replace(old, new))
    with pytest.raises(ArchError) as caught:
        load_study(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:{line}: ")
    assert said in message


def test_both_ends_must_lower_not_only_validate(write: Write) -> None:
    """A stride of 16 is a valid number, and leaves nothing of 8x8 pixels."""
    path = write(vary={"stem.groups": {"any": [1, 3]}})
    with pytest.raises(ArchError, match=r"vary\.stem\.groups\.any\.1: 3 does not build: .*groups"):
        load_study(path)


def test_what_does_not_fit_the_data_is_no_candidate(write: Write) -> None:
    study = load_study(write())
    with pytest.raises(ArchError, match="digits has 10 classes, the network has 5"):
        candidate(study, {"head.classes": 5})


def test_a_study_that_no_one_loaded_is_refused(write: Write, tmp_path: Path) -> None:
    study = Study.model_validate(load_study(write()).data())
    with pytest.raises(ArchError, match="load the study with load_study"):
        search(study, folder=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_the_schema_says_what_each_key_is() -> None:
    schema = Study.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        for key, about in part["properties"].items():
            assert about.get("description"), f"{part['title']}.{key}"
    assert schema["$defs"]["Recipe"]["properties"]["data"]["anyOf"][0]["enum"] == [*DATA_SETS]


def test_violations_are_parts_of_the_limit(write: Write) -> None:
    study = load_study(write(keep={"params": {"max": 100}, "depth": {"min": 4}}))
    paid = archgen.cost(candidate(study, {"stem.width": 4}))
    assert (paid.params, paid.depth) == (94, 2)
    assert violations(study, asdict(paid)) == pytest.approx(
        {"builds": 0, "params.max": -0.06, "depth.min": 0.5}
    )
    assert violations(study, {})["builds"] > 0


def test_study_imports_neither_torch_nor_optuna(tmp_path: Path) -> None:
    code = "import sys, archgen.study as s; s.load_study('pyramid'); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "optuna", "sklearn", "rich"} & set(ran.stdout.split())
