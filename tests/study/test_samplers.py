"""One conformance suite for all samplers, on real spaces; a smooth function stands for training."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archgen import files, yamlfile
from archgen.study import Row, Study, load_study
from archgen.study.definition import violations
from archgen.study.judge import judge, row_of
from archgen.study.propose import Proposer
from archgen.study.room import probe
from archgen.study.sampler import STARTUP
from archgen.study.space import combination, label

from .conftest import Write

GP = pytest.param("gp", marks=pytest.mark.torch)
ALL = ["tpe", "nsga2", "qmc", "random", "grid", GP]
# The Gaussian process takes half a second for a proposal.
TRAINED = {"gp": STARTUP + 8}
ONE, TWO = {"top1": "maximize"}, {"top1": "maximize", "macs": "minimize"}
SPEC = """\
name: residual
input: [1, 8, 8]
nodes:
  stem:   {block: conv_norm, width: 8}
  stages: {block: basic, depth: [1, 1], width: 8, stride: [1, 2], shortcut: projection}
  head:   {block: pool_linear, classes: 10}
"""
CONDITIONAL = """\
name: conditional
spec: residual.yaml
vary:
  stages.depth: {any: [[1, 1], [1, 2], [2, 2]]}
  stages.block:
    any:
      - basic
      - value: bottleneck
        vary:
          stages.groups: {any: [1, 2, 4]}
          stages.expand: {from: 1, to: 4}
  stages.width:
    any:
      - value: {kind: additive, start: 8, alpha: 8}
        vary:
          stages.width.alpha: {from: 8, to: 40, step: 8}
      - value: {kind: geometric, start: 8, ratio: 2}
        vary:
          stages.width.start: {from: 8, to: 32, step: 8}
          stages.width.ratio: {from: 1.0, to: 2.0, step: 0.5}
keep:
  params: {max: 30000}
score: {top1: maximize}
trials: 100
"""

Make = Callable[..., Study]


@pytest.fixture
def pyramid(tmp_path: Path) -> Make:
    """The default study, some of its top-level keys replaced."""
    text = files.find("studies", "pyramid").read_text()

    def made(**keys: Any) -> Study:
        path = tmp_path / "pyramid.yaml"
        path.write_text(yamlfile.dump({**yamlfile.parse(text).value, **keys}))
        return load_study(path)

    return made


@pytest.fixture
def conditional(tmp_path: Path) -> Make:
    """A study of choices whose values bring parameters of their own."""

    def made(**keys: Any) -> Study:
        (tmp_path / "residual.yaml").write_text(SPEC)
        path = tmp_path / "conditional.yaml"
        path.write_text(yamlfile.dump({**yamlfile.parse(CONDITIONAL).value, **keys}))
        return load_study(path)

    return made


def trained(row: Row, study: Study) -> Row:
    """What training might have given: best at some size, with a ripple in all that varies."""
    numbers = [len(label(value)) for value in row.vary.values()]
    top1 = 90 - (math.log(row.costs["macs"]) - 13) ** 2 + sum(map(math.sin, numbers))
    known = {"top1": top1, "loss": 10 - top1 / 10, **row.costs}
    scores = {name: known[name] for name in study.score}
    return replace(row, state="complete", scores=scores, top1=top1, loss=known["loss"])


def search(
    study: Study, trials: int, rows: Iterable[Row] = (), *, workers: int = 1
) -> tuple[list[Row], bool]:
    """Search without training; gives a row for each proposal, and whether the space was exhausted.

    With several workers, each trains one; the first that was begun ends first.
    """
    found = list(rows)
    proposer = Proposer(study, found, seed=study.sampler.seed)
    working: list[int] = []
    ended = False
    while not ended and sum(row.trained for row in found) + len(working) < trials:
        proposal = proposer.ask()
        ended = proposal is None
        if proposal is not None:
            row = row_of(proposal.judged, len(found), found)
            found.append(row)
            if row.state == "running":
                working.append(row.number)
            else:
                proposer.tell(row)
        while working and (ended or len(working) == workers):
            number = working.pop(0)
            found[number] = trained(found[number], study)
            proposer.tell(found[number])
    for number in working:
        found[number] = trained(found[number], study)
    return found, ended


def check(study: Study, rows: list[Row]) -> None:
    """What holds of every search: limits are kept, and no network is trained twice."""
    done = [row for row in rows if row.trained]
    assert len({row.digest for row in done}) == len(done)
    for row in rows:
        over = any(value > 0 for value in violations(study, row.costs).values())
        assert over == (row.state == "infeasible")


@pytest.mark.parametrize("score", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("kind", ALL)
def test_a_real_study(pyramid: Make, kind: str, score: dict[str, str]) -> None:
    study = pyramid(sampler={"kind": kind, "seed": 1}, score=score)
    assert probe(study, seconds=60).share >= 0.25
    rows, ended = search(study, TRAINED.get(kind, 40))
    check(study, rows)
    assert not ended
    started = [row.number for row in rows if row.trained][STARTUP - 1]
    if kind in ("tpe", "gp"):
        assert started == STARTUP - 1, "the first ones are all trained"
        later = rows[STARTUP:]
        assert len(later) <= 3 * sum(row.trained for row in later)


@pytest.mark.parametrize(
    ("kind", "seeds", "trials"),
    [("tpe", 3, 40), pytest.param("gp", 2, STARTUP + 10, marks=pytest.mark.torch)],
)
def test_a_model_beats_chance(pyramid: Make, kind: str, seeds: int, trials: int) -> None:
    def best(kind: str, seed: int) -> float:
        study = pyramid(sampler={"kind": kind, "seed": seed})
        rows, _ = search(study, trials)
        return max(row.scores["top1"] for row in rows if row.trained)

    assert sum(best(kind, seed) - best("random", seed) for seed in range(seeds)) > 0


@pytest.mark.parametrize("score", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("kind", ALL)
def test_conditional_choices(conditional: Make, kind: str, score: dict[str, str]) -> None:
    study = conditional(sampler={"kind": kind, "seed": 0}, score=score)
    rows, _ = search(study, TRAINED.get(kind, 30))
    check(study, rows)
    for row in rows:
        under = {"stages.groups", "stages.expand"} & row.vary.keys()
        assert len(under) == (2 if row.vary["stages.block"] == "bottleneck" else 0)
        schedule = row.vary["stages.width"]["kind"]
        assert ("stages.width.alpha" in row.vary) == (schedule == "additive")
    assert len({label(row.vary["stages.block"]) for row in rows if row.trained}) == 2


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("kind", ALL)
def test_several_workers(pyramid: Make, kind: str, workers: int) -> None:
    study = pyramid(sampler={"kind": kind, "seed": 0})
    trials = STARTUP + 4 if kind == "gp" else 30
    rows, _ = search(study, trials, workers=workers)
    check(study, rows)
    assert sum(row.trained for row in rows) == trials


@pytest.mark.parametrize("score", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("kind", ALL)
def test_a_tiny_space_is_trained_whole(write: Write, kind: str, score: dict[str, str]) -> None:
    """All feasible networks once, two spellings of one included; then it is exhausted."""
    study = load_study(
        write(
            vary={
                "stem.width": {"from": 2, "to": 9},
                "stem.kernel": {"any": [1, 3]},
                "name": {"any": ["one", "two"]},
            },
            sampler={"kind": kind, "seed": 0},
            score=score,
        )
    )
    assert study.size == 32
    combinations = [judge(study, combination(study.vary, index)) for index in range(32)]
    feasible = {judged.digest for judged in combinations if judged.feasible}
    assert 3 < len(feasible) < 16
    rows, ended = search(study, 1000)
    check(study, rows)
    assert ended
    assert {row.digest for row in rows if row.trained} == feasible
    if kind == "grid":
        assert sorted(label(row.vary) for row in rows) == sorted(
            label(judged.vary) for judged in combinations
        )
    again, ended = search(study, 1000, rows)
    assert ended
    assert Counter(row.state for row in again[len(rows) :]).keys() <= {"infeasible", "duplicate"}


@pytest.mark.parametrize("kind", ALL)
def test_a_resume_repeats_nothing(pyramid: Make, kind: str) -> None:
    alpha = {"from": 4, "to": 84} if kind == "grid" else {"from": 4.0, "to": 84.0}
    keys = {"sampler": {"kind": kind, "seed": 0}, "vary": {"stages.width.alpha": alpha}}
    study = pyramid(**keys)
    half = STARTUP + 2
    first, _ = search(study, half)
    rows, _ = search(study, half + 4, first)
    check(study, rows)
    assert rows[: len(first)] == first
    assert sum(row.trained for row in rows) == half + 4
    if kind not in ("nsga2", "gp"):  # a child may be its parent; one optimum may be found twice
        assert len({label(row.vary) for row in rows}) == len(rows)


@pytest.mark.parametrize("kind", ALL)
def test_what_can_happen_to_a_candidate(pyramid: Make, kind: str) -> None:
    """Pruned, diverged, failed: each end is told, for one score and for two."""
    for score in (ONE, TWO, {"loss": "minimize", "top1": "maximize"}):
        study = pyramid(sampler={"kind": kind, "seed": 0}, score=score)
        proposer = Proposer(study, [], seed=0)
        rows: list[Row] = []
        for state in ["failed", "diverged", "complete", "pruned", "complete"] * 2:
            proposal = proposer.ask()
            assert proposal is not None
            row = row_of(proposal.judged, len(rows), rows)
            if row.state == "running":
                row = trained(row, study)
                if state != "complete":
                    row = replace(row, state=state, scores={}, curve=(50.0, 60.0), epochs=2)
                if state == "failed":
                    row = replace(row, top1=None, loss=None, curve=(), epochs=0)
            rows.append(row)
            proposer.tell(row)
        open_ = replace(row_of(proposal.judged, len(rows), []), state="running")
        again = Proposer(study, [*rows, open_], seed=0)
        assert again.ask() is not None
        again.tell(trained(open_, study))


@pytest.mark.parametrize("kind", ALL)
def test_a_search_repeats_exactly(conditional: Make, kind: str) -> None:
    study = conditional(sampler={"kind": kind, "seed": 7})
    trials = STARTUP + 3
    assert search(study, trials) == search(study, trials)
    other = conditional(sampler={"kind": kind, "seed": 8})
    assert search(other, trials) != search(study, trials)


@pytest.mark.parametrize("kind", ["tpe", "nsga2", "qmc", "random", GP])
def test_limits_that_exclude_all_end_it(pyramid: Make, kind: str) -> None:
    """A space without end: after enough candidates of chance."""
    alpha = {"stages.width.alpha": {"from": 4.0, "to": 84.0}}
    study = pyramid(sampler={"kind": kind, "seed": 0}, vary=alpha, keep={"params": {"max": 9.0}})
    rows, ended = search(study, 1)
    assert ended
    assert {row.state for row in rows} == {"infeasible"}
    assert len(rows) < 150
