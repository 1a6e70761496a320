"""A study on the screen, as plain data."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from journals import write_journal

from archgen.errors import ArchError
from archgen.explorer.rings import ringed
from archgen.explorer.slices import slices
from archgen.explorer.studies import facts_now, folders, log_of, running, seconds_left
from archgen.explorer.trials import (
    BEST,
    MARKS,
    asked,
    batched,
    beside,
    bounds,
    closed,
    columns,
    ends_of,
    kept,
    marked,
    opened,
    within,
)
from archgen.report.charts import trade_off
from archgen.report.facts import Facts, named, spoken
from archgen.study import candidate, load_study
from archgen.study.storage import open_journal, trial_folder
from archgen.study.watch import Watch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("studies") / "drawn"
    write_journal(place, 120)
    return place


@pytest.fixture(scope="module")
def facts(folder: Path) -> Facts:
    return facts_now(Watch(folder))


def test_the_best_are_those_that_optuna_finds_within_the_constraints(
    folder: Path, facts: Facts
) -> None:
    """It takes duplicates for trials of their own; they have the values of the first."""
    import optuna

    storage = open_journal(folder)
    theirs = optuna.load_study(study_name="drawn", storage=storage).best_trials
    assert all(max(trial.constraints.values()) <= 0 for trial in theirs)
    ours = {tuple(row.scores.values()) for row in facts.best}
    assert ours == {tuple(trial.values) for trial in theirs}
    assert {row.number for row in facts.best} <= {trial.number for trial in theirs}


def test_columns_mark_what_was_never_trained_and_the_best(facts: Facts) -> None:
    table = columns(facts, facts.rows)
    assert {len(column) for column in table.values()} == {len(facts.rows)}
    leading = {row.number for row in facts.best}
    for row, state, top1 in zip(facts.rows, table["state"], table["top1"], strict=True):
        assert state == (BEST if row.number in leading else f"{MARKS[row.state]} {row.state}")
        assert top1 is None or row.state in ("complete", "duplicate")
    assert sum(top1 is not None for top1 in table["top1"]) >= len(facts.complete) > len(leading)
    states = {row.state for row in facts.rows}
    assert {"infeasible", "complete", "pruned", "running"} <= states
    again = replace(facts.best[0], number=500, state="duplicate")
    table = columns(facts, [again])
    assert (table["state"], table["top1"]) == (["= duplicate"], [again.scores["top1"]])


def test_columns_hold_one_kind_of_values_under_a_heading_of_their_own(facts: Facts) -> None:
    table = columns(facts, facts.rows)
    for heading in ("params", "macs", "alpha", "kernel", "epochs", "seconds"):
        assert all(type(value) in (int, float, type(None)) for value in table[heading])
    assert set(table["width"]) == {"additive", "multiplicative"}
    assert set(table["stages.depth"]) >= {"[3,3,3]", "[18,18,18]"}
    assert "depth" not in table


def test_a_filter_keeps_what_lies_between(facts: Facts) -> None:
    found = within(facts.rows, "top1", (60.0, 75.0))
    assert found
    assert all(60 <= row.scores["top1"] <= 75 for row in found)
    assert {row.state for row in found} <= {"complete", "duplicate"}
    assert len(found) < len(within(facts.rows, "top1", (60.0, None)))
    assert within(facts.rows, "top1", (None, None)) == [*facts.rows]


def test_a_filter_stays_where_it_is_as_its_bounds_grow() -> None:
    assert ends_of((2.0, 9.0), (1.0, 9.0)) == (2.0, None)
    assert closed((2.0, None), (1.0, 12.0)) == (2.0, 12.0)
    assert closed((2.0, 5.0), (3.0, 4.0)) == (3.0, 4.0)
    assert closed((7.0, 8.0), (1.0, 4.0)) == (4.0, 4.0)


def test_bounds_are_those_of_all_that_have_the_figure(facts: Facts) -> None:
    found = [row.scores["top1"] for row in facts.rows if "top1" in row.scores]
    assert bounds(facts.rows, "top1") == (min(found), max(found))
    assert bounds(facts.rows[:0], "top1") is None
    assert bounds(facts.rows, "depth") is None, "all have the same"


def test_states_and_the_best_are_kept(facts: Facts) -> None:
    assert kept(facts, []) == [*facts.rows]
    assert {row.state for row in kept(facts, [marked("pruned")])} == {"pruned"}
    assert {row.number for row in kept(facts, [BEST])} == {row.number for row in facts.leading}


def test_what_takes_its_time_is_done_with_every_tenth_more(facts: Facts) -> None:
    assert [len(batched(facts.rows[:count])) for count in (0, 7, 19, 20, 21, 39, 119)] == [
        0, 7, 19, 20, 20, 39, 110,
    ]  # fmt: skip


def test_numbers_in_the_address_are_bounded(facts: Facts) -> None:
    assert asked("3,1,3,x,999,-1,²,01," + "9" * 5000, facts.rows) == [3, 1]
    assert asked("x," * 100_000 + "3", facts.rows) == []


def test_a_slice_has_each_candidate_at_its_value(facts: Facts) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    words = spoken(facts.study, facts.complete)
    drawn = 0
    for name, said in words.items():
        chart = slices(facts, name, said)
        assert chart is not None
        graph_objects.Figure(chart.data, chart.layout)
        for trace in chart.data:
            for number, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True):
                row = facts.rows[number]
                value = named(facts.study, row)[name]
                assert y == row.scores["top1"]
                assert x == value if isinstance(value, int | float) else isinstance(x, str)
                drawn += said == "depth"
    assert drawn == len(facts.complete)
    assert slices(replace(facts, rows=(), best=()), "stages.depth", "depth") is None


def test_a_candidate_opens_as_the_network_that_it_is(facts: Facts) -> None:
    for row in (facts.best[0], facts.best[-1], facts.rows[0]):
        found = opened(facts.study, row)
        assert found.shown.spec == "pyramidnet110_a48"
        same = candidate(facts.study, row.values).digest()
        assert found.net.digest() == found.shown.net().digest() == same
        assert found.base.net().digest() == facts.study.net.digest()
        tables = beside(found.beside)
        assert set(tables.changes["path"]) <= {
            "stages.width", "stages.depth", "stages.shortcut.widen", "stem.kernel",
        }  # fmt: skip
        assert "Parameters" in tables.figures[""]
        assert tables.stages["path"][0] == "stem"


def test_the_points_of_the_chosen_have_rings(facts: Facts) -> None:
    chart = trade_off(facts)
    assert chart is not None
    first, second = facts.complete[:2]
    *before, ring = ringed(chart.data, [first.number, second.number, 9999])
    assert before == chart.data
    against = {(row.scores["params"], row.scores["top1"]) for row in (first, second)}
    assert set(zip(ring["x"], ring["y"], strict=True)) == against
    assert ringed(chart.data, []) == chart.data


def test_a_study_of_an_own_spec_opens_as_its_text(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        "name: small\ninput: [1, 8, 8]\nnodes:\n"
        "  stem: {block: conv_norm, width: 4, kernel: 3}\n"
        "  head: {block: pool_linear, classes: 10}\n"
    )
    file = tmp_path / "tiny.yaml"
    file.write_text(
        "name: tiny\nspec: small.yaml\nvary: {stem.width: {from: 2, to: 9}}\n"
        "score: {top1: maximize}\ntrain: {data: digits}\ntrials: 4\n"
    )
    study = load_study(file)
    from archgen.study import Row

    found = opened(study, Row(0, "complete", vary={"stem.width": 7}))
    assert found.shown.text.startswith("name: small")
    assert found.shown.net().get("stem.width") == 7
    with pytest.raises(ArchError, match=r"stem\.width"):
        opened(study, Row(0, "infeasible", vary={"stem.width": 0}))


def test_a_candidate_in_training_has_the_epochs_that_it_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_journal(folder, 30, running=30)
    watch = Watch(folder)
    facts = facts_now(watch)
    row = running(folder, facts)[0]
    assert (row.epochs, row.curve) == (0, ())
    place = trial_folder(folder, row.number)
    place.mkdir(parents=True)
    lines = [json.dumps({"epoch": n, "top1": 30.0 + n, "loss": 1.0}) + "\n" for n in (1, 2)]
    (place / "curve.jsonl").write_text("".join(lines) + '{"epoch": 3, "to')
    assert running(folder, facts)[0].curve == (31.0, 32.0)
    assert facts_now(watch).rows[row.number].epochs == 2
    (place / "curve.jsonl").write_text("garbage\n")
    assert running(folder, facts)[0].curve == ()


def test_the_time_left_follows_what_candidates_took(facts: Facts) -> None:
    assert seconds_left(facts) is None
    left = facts.study.trials - facts.trained
    pace = facts.seconds / facts.trained
    now = replace(facts, state="running", runs=({"workers": 4},))
    assert seconds_left(now) == pytest.approx(pace * left / 4)
    assert seconds_left(replace(now, runs=())) == pytest.approx(pace * left)
    assert seconds_left(replace(now, rows=())) is None


def test_folders_are_listed_by_what_was_written_last(tmp_path: Path) -> None:
    assert folders(tmp_path / "none") == {}
    for age, name in enumerate(["newest", "middle", "oldest"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "journal.log").write_text("")
        os.utime(tmp_path / name / "journal.log", (1e9 - age, 1e9 - age))
    (tmp_path / "empty").mkdir()
    assert list(folders(tmp_path)) == ["newest", "middle", "oldest"]


def test_of_a_long_log_the_end_is_shown(tmp_path: Path) -> None:
    assert log_of(tmp_path, 3) == ""
    place = trial_folder(tmp_path, 3)
    place.mkdir(parents=True)
    (place / "log.txt").write_bytes(b"x" * 10_000 + b"\xff the end\n")
    assert log_of(tmp_path, 3).endswith("\ufffd the end\n")
    assert len(log_of(tmp_path, 3)) == 4000
