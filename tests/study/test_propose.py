"""The proposer's own rules: terms of Optuna's, what is judged, exact ends, bounded time."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

import archgen
from archgen import cost
from archgen.study import Row, load_study
from archgen.study.definition import COSTS
from archgen.study.judge import judge, row_of
from archgen.study.propose import FINITE, LOOKS, Proposer
from archgen.study.sampler import STARTUP, params_of
from archgen.study.space import values_at

from .conftest import Write


def test_values_in_optunas_terms(write: Write) -> None:
    vary = {
        "stem.width": {"from": 2, "to": 8, "step": 2},
        "stem.eps": {"from": 0.01, "to": 0.1, "log": True},
        "stem.kernel": {"any": [1, {"value": 3, "vary": {"stem.stride": {"any": [1, 2]}}}]},
    }
    study = load_study(write(vary=vary))
    values = {"stem.width": 4, "stem.eps": 0.05, "stem.kernel": 3, "stem.stride": 2}
    assert params_of(study, values) == (
        {
            "stem.width": 4,
            "stem.eps": 0.05,
            "stem.kernel": "3",
            "stem.kernel=3/stem.stride": "2",
        },
        {
            "stem.width": IntDistribution(2, 8, step=2),
            "stem.eps": FloatDistribution(0.01, 0.1, log=True),
            "stem.kernel": CategoricalDistribution(["1", "3"]),
            "stem.kernel=3/stem.stride": CategoricalDistribution(["1", "2"]),
        },
    )
    params, _ = params_of(study, {"stem.width": 4, "stem.eps": 0.05, "stem.kernel": 1})
    assert [*params] == ["stem.width", "stem.eps", "stem.kernel"]


def test_a_candidate_is_judged_once_and_becomes_a_row(write: Write) -> None:
    study = load_study(write())
    fine = judge(study, {"stem.width": 2, "stem.kernel": 1})
    assert fine.feasible
    first = row_of(fine, 0, [])
    assert (first.state, first.costs, first.digest) == ("running", fine.costs, fine.digest)
    over = row_of(judge(study, {"stem.width": 9, "stem.kernel": 3}), 1, [first])
    assert (over.state, over.reason) == ("infeasible", "beyond params.max by 17%")
    wrong = judge(study, {"stem.width": 0, "stem.kernel": 1})
    assert (wrong.net, wrong.costs, wrong.digest, wrong.feasible) == (None, {}, "", False)
    assert "greater than" in row_of(wrong, 2, []).reason


def test_bytes_are_counted_where_a_study_asks_for_them(write: Write) -> None:
    vary = {"stem.width": 2, "stem.kernel": 1}
    assert "saved_bytes" not in judge(load_study(write()), vary).costs
    study = load_study(
        write(
            keep={"saved_bytes": {"max": 500}}, score={"top1": "maximize", "peak_bytes": "minimize"}
        )
    )
    judged = judge(study, vary)
    paid = cost(study.net.set(vary))
    assert judged.costs["saved_bytes"] == paid.saved_bytes
    assert judged.costs["peak_bytes"] == paid.peak_bytes
    assert judged.feasible == (paid.saved_bytes <= 500)


@pytest.mark.parametrize("state", ["running", "complete", "pruned", "diverged", "failed"])
def test_what_is_not_trained_again(write: Write, state: Any) -> None:
    judged = judge(load_study(write()), {"stem.width": 2, "stem.kernel": 1})
    known = replace(row_of(judged, 0, []), state=state, curve=(1.0,), epochs=1, seconds=3.0)
    row = row_of(judged, 1, [known])
    assert (row.state, row.reason) == ("duplicate", "the same network as 0")
    assert row.curve == (known.curve if known.trained else ())
    assert row.seconds == 0.0


def test_a_space_is_exhausted_by_judging_it_once(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is feasible: each combination is looked at once, however often it is asked."""
    study = load_study(write(vary={"stem.width": {"from": 10, "to": 209}}, sampler={"kind": "tpe"}))
    seen: list[Any] = []
    monkeypatch.setattr(
        "archgen.study.propose.judge", lambda told, vary: seen.append(vary) or judge(told, vary)
    )
    proposer = Proposer(study, [], seed=0)
    rows = [row_of(proposal.judged, 0, []) for proposal in iter(proposer.ask, None)]
    assert len(rows) == 200 / LOOKS
    assert len(seen) == 200
    assert proposer.ask() is None
    assert (study.size or 0) < FINITE


def random_rows(study: Any, count: int) -> list[Row]:
    """Rows as a long search leaves them; costs and scores are made up."""
    chance = Random(0)
    counts = archgen.cost(study.net)
    usual = {name: getattr(counts, name) for name in COSTS}
    rows = []
    for number in range(count):
        vary = values_at(study.vary, lambda _: chance.random())
        costs = {**usual, "params": chance.randrange(100, 240)}
        row = Row(number, "infeasible", vary, costs, f"{number}")
        if costs["params"] <= 170:
            gained = {"top1": chance.random(), **costs}
            scores = {name: gained[name] for name in study.score}
            row = replace(row, state="complete", scores=scores, top1=gained["top1"], loss=0.0)
        rows.append(row)
    return rows


@pytest.mark.parametrize(
    "score", [{"top1": "maximize"}, {"top1": "maximize", "params": "minimize"}]
)
@pytest.mark.parametrize("kind", ["tpe", "nsga2"])
def test_ten_thousand_rows(write: Write, kind: str, score: dict[str, str]) -> None:
    """Far more would be needed if all were shown: two scores cost TPE a second an ask."""
    vary = {
        "stem.eps": {"from": 0.001, "to": 1.0},
        "stem.width": {"from": 2, "to": 9},
        "stem.kernel": {"any": [1, 3]},
    }
    study = load_study(write(vary=vary, sampler={"kind": kind}, score=score))
    rows = random_rows(study, 10_000)
    began = time.process_time()
    proposer = Proposer(study, rows, seed=0)
    opened = time.process_time()
    for number in range(10):
        proposal = proposer.ask()
        assert proposal is not None
        row = replace(row_of(proposal.judged, number, []), curve=(0.5,), epochs=1)
        proposer.tell(replace(row, state="pruned" if proposal.judged.feasible else row.state))
    assert opened - began < 1.0
    assert (time.process_time() - opened) / 10 < 0.2


def test_the_first_ones_of_a_model_are_feasible_and_new(write: Write) -> None:
    study = load_study(write(sampler={"kind": "tpe"}, vary={"stem.width": {"from": 2, "to": 200}}))
    proposer = Proposer(study, [], seed=0)
    digests = []
    for _ in range(4):
        proposal = proposer.ask()
        assert proposal is not None
        assert proposal.judged.feasible
        digests.append(proposal.judged.digest)
    assert len(set(digests)) == 4 < STARTUP


def test_only_the_gaussian_process_needs_torch(write: Write) -> None:
    code = (
        "import sys; from archgen.study import load_study; from archgen.study.propose import *\n"
        "for kind in ('tpe', 'nsga2', 'qmc', 'random', 'grid'):\n"
        "    study = load_study('pyramid')\n"
        "    sampler = study.sampler.model_copy(update={'kind': kind})\n"
        "    told = study.model_copy(update={'sampler': sampler})\n"
        "    assert Proposer(told, [], seed=0).ask()\n"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
