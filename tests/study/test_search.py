"""The search: what is trained, what is not, what is kept, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import archgen  # noqa: E402
from archgen.errors import ArchError  # noqa: E402
from archgen.study import (  # noqa: E402
    Outcome,
    Row,
    Status,
    best,
    best_net,
    load_study,
    trials,
)
from archgen.study import search as search_study  # noqa: E402
from archgen.study.report import front, ranked  # noqa: E402
from archgen.study.runs import runs  # noqa: E402
from archgen.study.storage import JOURNAL, open_journal, trial_folder  # noqa: E402

from .conftest import Write  # noqa: E402

pytestmark = pytest.mark.torch


def search(study: Path, folder: Path, **more: Any) -> Outcome:
    """One worker, so that what is proposed does not depend on who is faster."""
    return search_study(study, folder=folder, device="cpu", **{"workers": 1, **more})


def trained(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.trained]


def check(folder: Path, outcome: Outcome) -> list[Row]:
    """What holds behind every search that ended by itself."""
    rows = trials(folder)
    study = load_study(folder / "study.yaml")
    assert [row.number for row in rows] == list(range(len(rows)))
    digests = [row.digest for row in trained(rows)]
    assert len(set(digests)) == len(digests), "a network was trained twice"
    assert outcome.trained == len(digests)
    for row in rows:
        place = trial_folder(folder, row.number)
        if not row.trained:
            assert not place.exists()
            continue
        assert archgen.cost(archgen.load(place / "spec.yaml")).params == row.costs["params"]
        assert not (place / "state.pt").exists()
        if row.epochs:
            lines = [json.loads(text) for text in (place / "curve.jsonl").read_text().splitlines()]
            assert [round(line[study.watched], 5) for line in lines] == list(row.curve)
            assert round(lines[-1]["top1"], 5) == row.top1
    kept = [*outcome.best, *ranked(rows, study.score)[: study.weights]]
    weights = {path.parent for path in folder.glob("trials/*/weights.pt")}
    assert weights == {trial_folder(folder, row.number) for row in kept}
    assert [row.number for row in outcome.best] == [row.number for row in front(rows, study.score)]
    return rows


def test_a_search_from_start_to_end(write: Write, tmp_path: Path) -> None:
    seen: list[Status] = []
    run = tmp_path / "run"
    study = write(trials=6, pruner={"kind": "none"})
    outcome = search(study, run, progress=seen.append)
    assert (outcome.ending, outcome.trained, outcome.trials) == ("complete", 6, 6)
    rows = check(run, outcome)

    # What is over a limit is never trained, and Optuna knows by how much.
    over = [row for row in rows if row.costs["params"] > 170]
    assert all(row.state == "infeasible" for row in over)
    assert all(row.reason.startswith("beyond params.max by ") for row in over)
    storage = open_journal(run)
    known = storage.get_all_trials(storage.get_study_id_from_name("tiny"))
    assert all(trial.constraints.keys() == {"builds", "params.max"} for trial in known)
    assert [any(v > 0 for v in trial.constraints.values()) for trial in known] == [
        row in over for row in rows
    ]
    assert [trial.params for trial in known] == [
        {"stem.width": row.vary["stem.width"], "stem.kernel": json.dumps(row.vary["stem.kernel"])}
        for row in rows
    ]

    # The best is the best on validation; only it was tested, with the weights that were kept.
    (top,) = outcome.best
    assert top.scores["top1"] == max(row.top1 for row in trained(rows) if row.top1 is not None)
    assert [row.number for row in rows if row.test is not None] == [top.number]
    assert best(run)[0] == top
    assert best_net(run).digest() == top.digest
    model = archgen.build(best_net(run))
    weights = torch.load(trial_folder(run, top.number) / "weights.pt", weights_only=True)
    model.load_state_dict(weights)
    from archgen.train.data import load_data
    from archgen.train.evaluate import evaluate

    digits = load_data("digits", torch.device("cpu"))
    judged = evaluate(model, digits.validation)
    assert judged.top1 == pytest.approx(top.top1, abs=1e-5)
    assert judged.loss == pytest.approx(top.loss, abs=1e-5)
    assert evaluate(model, digits.test).top1 == pytest.approx(top.test, abs=1e-9)

    # Where it ran.
    (ran,) = json.loads((run / "environment.json").read_text())["runs"]
    assert (ran["workers"], ran["devices"], ran["trials"]) == (1, ["cpu"], 6)
    assert ran["torch"] == torch.__version__.partition("+")[0]

    # Progress: a first call, each epoch, each end.
    assert seen[0].row is None
    assert [s.row.epochs for s in seen if s.row and s.row.state == "running"] == [1, 2] * 6
    assert len([s for s in seen if s.row and s.row.state != "running"]) == len(rows)
    assert seen[-1].trained == 6
    assert seen[-1].eta == 0
    assert seen[-1].counts["complete"] == 6


def test_a_cpu_search_repeats_exactly(write: Write, tmp_path: Path) -> None:
    study = write(sampler={"kind": "tpe", "seed": 3}, trials=3)
    for name in ("one", "two"):
        search(study, tmp_path / name)
    one, two = ([replace(row, seconds=0.0) for row in trials(tmp_path / n)] for n in ("one", "two"))
    assert one == two


def test_several_workers_train_what_one_would(write: Write, tmp_path: Path) -> None:
    """Who is faster changes what is proposed, but no candidate's curve."""
    study = write(keep={}, trials=16, pruner={"kind": "none"})
    curves = []
    for workers in (1, 3):
        run = tmp_path / str(workers)
        seen: list[Status] = []
        outcome = search(study, run, workers=workers, progress=seen.append)
        assert outcome.trained == 16
        assert max(len(status.running) for status in seen) == workers
        rows = trained(check(run, outcome))
        curves.append({str(row.vary): row.curve for row in rows})
    assert curves[0] == curves[1]


def test_a_resume_goes_on_and_repeats_nothing(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(write(trials=2), run)
    before = trials(run)
    outcome = search(write(trials=2), run, trials=5)
    rows = check(run, outcome)
    assert outcome.trained == 5
    assert [r.digest for r in rows[: len(before)]] == [r.digest for r in before]
    assert [r.curve for r in rows[: len(before)]] == [r.curve for r in before]
    assert "2 candidates are trained already" in outcome.notes[0]
    # The sampler did not start over.
    first = [row.vary for row in rows[: len(before)]]
    assert [row.vary for row in rows[len(before) :]][: len(before)] != first


def test_candidates_that_all_cost_the_same(write: Write, tmp_path: Path) -> None:
    """The number that is solved for is recorded, and what is resumed has the same."""
    run, widths = tmp_path / "run", {1: 153, 3: 95, 5: 54, 7: 33}
    keys = {
        "vary": {"stem.kernel": {"any": [*widths]}},
        "keep": {"params": {"equal": 2000, "within": "1%", "by": "stem.width"}},
    }
    search(write(**keys, trials=1), run)
    before = trials(run)
    outcome = search(write(**keys, trials=1), run, trials=4)
    rows = check(run, outcome)
    first = rows[: len(before)]
    assert [replace(r, test=None) for r in first] == [replace(r, test=None) for r in before]
    assert (outcome.ending, outcome.trained) == ("exhausted", 3)
    assert {row.vary["stem.kernel"]: row.solved["stem.width"] for row in rows} == widths
    for row in trained(rows):
        assert abs(row.costs["params"] - 2000) <= 20
        spec = archgen.load(trial_folder(run, row.number) / "spec.yaml")
        assert spec.get("stem.width") == row.solved["stem.width"]
        assert spec.digest() == row.digest
    assert {row.vary["stem.kernel"] for row in rows if row.state == "infeasible"} == {7}
    assert best_net(run).get("stem.width") == outcome.best[0].solved["stem.width"]


def test_a_complete_search_is_complete_at_once(write: Write, tmp_path: Path) -> None:
    run, study = tmp_path / "run", write(trials=2)
    first = search(study, run)
    program = (
        "import sys, pathlib; from archgen.study import search\n"
        "done = search(sys.argv[1], folder=pathlib.Path(sys.argv[2]))\n"
        "print(done.ending, done.trained, done.best[0].number, 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(study), str(run)], capture_output=True, text=True
    )
    assert ran.stdout == f"complete 2 {first.best[0].number} False\n", ran.stderr
    assert len(json.loads((run / "environment.json").read_text())["runs"]) == 1


def test_two_spellings_of_one_network_are_trained_once(write: Write, tmp_path: Path) -> None:
    """The name of a spec is no part of its digest."""
    run = tmp_path / "run"
    vary = {"name": {"any": ["one", "two"]}, "stem.width": {"from": 3, "to": 4}}
    outcome = search(write(vary=vary, keep={}, trials=3), run, workers=2)
    assert (outcome.ending, outcome.trained) == ("exhausted", 2)
    assert "space exhausted" in outcome.message
    assert [found.state for found in runs(tmp_path)] == ["exhausted"]
    assert outcome.best[0].test is not None
    rows = check(run, outcome)
    by_number = {row.number: row for row in rows}
    for row in rows:
        if row.state == "duplicate":
            original = by_number[int(row.reason.split()[-1])]
            assert row.digest == original.digest
            assert row.scores in (original.scores, {})  # none where it was still in training


def test_a_study_that_excludes_all_is_exhausted(write: Write, tmp_path: Path) -> None:
    outcome = search(write(keep={"params": {"max": 1}}), tmp_path / "run")
    assert (outcome.ending, outcome.trained, outcome.best) == ("exhausted", 0, ())
    assert any(note.startswith("0 of ") for note in outcome.notes)
    with pytest.raises(ArchError, match="no candidate is complete"):
        best_net(tmp_path / "run")


def test_what_does_not_build_is_infeasible(write: Write, tmp_path: Path) -> None:
    vary = {"stem.width": {"any": [4, 6]}, "mid.groups": {"any": [1, 4]}}
    study = write(vary=vary, keep={}, spec="mid.yaml", trials=3, sampler={"kind": "grid"})
    spec = (tmp_path / "small.yaml").read_text()
    mid = spec.replace("  head:", "  mid: {block: conv_norm, width: 8}\n  head:")
    (tmp_path / "mid.yaml").write_text(mid)
    outcome = search(study, tmp_path / "run", trials=4)
    assert (outcome.ending, outcome.trained) == ("exhausted", 3)
    rows = trials(tmp_path / "run")
    (broken,) = [row for row in rows if row.vary == {"stem.width": 6, "mid.groups": 4}]
    assert broken.state == "infeasible"
    assert "groups" in broken.reason


@pytest.mark.parametrize("kind", ["tpe", "random", "nsga2", "gp", "qmc", "grid"])
def test_two_scores_give_a_front(write: Write, tmp_path: Path, kind: str) -> None:
    run = tmp_path / "run"
    study = write(
        score={"top1": "maximize", "macs": "minimize"},
        sampler={"kind": kind, "seed": 1},
        pruner={"kind": "median", "startup": 2, "warmup": 0},
        trials=7,
    )
    outcome = search(study, run)
    rows = check(run, outcome)
    complete = [row for row in rows if row.state == "complete"]
    for row in outcome.best:
        assert not any(
            other.top1 >= row.top1
            and other.costs["macs"] <= row.costs["macs"]
            and other.scores != row.scores
            for other in complete
            if other.top1 is not None and row.top1 is not None
        )
    assert [row.number for row in best(run)] == [row.number for row in outcome.best]


def pruned_when_due(rows: list[Row], score: dict[str, str], epochs: int) -> int:
    """Check each candidate against the rule, told anew; gives how many were pruned."""
    watched, *others = score
    sign = 1 if score[watched] == "maximize" else -1
    complete: list[Row] = []
    pruned = 0
    for row in trained(rows):
        cheaper = [c for c in complete if all(c.costs[n] <= row.costs[n] for n in others)]
        behind = [
            len(cheaper) >= 2
            and max(sign * v for v in row.curve[: e + 1])
            < median(sign * c.curve[e] for c in cheaper)
            for e in range(min(row.epochs, epochs - 1))
        ]
        assert (row.state == "pruned") == any(behind), row
        assert not any(behind[: row.epochs - 1])
        pruned += any(behind)
        complete += [row] if row.state == "complete" else []
    return pruned


@pytest.mark.parametrize(
    "score",
    [
        {"top1": "maximize"},
        {"loss": "minimize"},
        {"top1": "maximize", "params": "minimize"},
        {"loss": "minimize", "macs": "minimize"},
    ],
)
def test_pruning_stops_what_is_behind(write: Write, tmp_path: Path, score: dict[str, str]) -> None:
    run = tmp_path / "run"
    study = write(
        vary={"stem.width": {"from": 2, "to": 40}, "stem.kernel": {"any": [1, 3]}},
        score=score,
        pruner={"kind": "median", "startup": 2, "warmup": 0},
        train={"data": "digits", "epochs": 3, "batch": 256, "lr": 0.1},
        keep={},
        trials=14,
    )
    rows = check(run, search(study, run))
    pruned = [row for row in rows if row.state == "pruned"]
    assert all(row.epochs < 3 and not row.scores for row in pruned)
    assert 0 < pruned_when_due(rows, score, 3) == len(pruned) < 14


def test_halving_gives_candidates_up_at_its_rungs(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    study = write(
        vary={"stem.width": {"from": 2, "to": 40}, "stem.kernel": {"any": [1, 3]}},
        pruner={"kind": "halving"},
        train={"data": "digits", "epochs": 9, "batch": 256, "lr": 0.1},
        keep={},
        trials=14,
    )
    rows = check(run, search(study, run, workers=2))
    assert {row.state for row in trained(rows)} == {"complete", "pruned"}


def test_the_test_split_is_looked_at_once(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = search(write(trials=2), run)
    again = search(write(trials=2), run)
    assert again.best[0].test == first.best[0].test
    more = search(write(trials=6), run)
    tested = {row.number for row in trials(run) if row.test is not None}
    assert tested == {first.best[0].number, more.best[0].number}


def test_the_seed_of_training_decides_the_curve(write: Write, tmp_path: Path) -> None:
    curves = []
    for place, seed in enumerate([0, 0, 1]):
        train = {"data": "digits", "epochs": 1, "seed": seed}
        vary = {"stem.width": {"any": [8, 9]}}
        study = write(train=train, keep={}, vary=vary, trials=1, sampler={"kind": "grid"})
        search(study, tmp_path / str(place))
        curves.append(trials(tmp_path / str(place))[0].loss)
    assert curves[0] == curves[1] != curves[2]


def test_a_torn_journal_is_repaired_and_said(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(write(trials=2), run)
    before = trials(run)
    with (run / JOURNAL).open("ab") as stream:
        stream.write(b'{"op_code":4,"worker_id":"')
    outcome = search(write(trials=3), run)
    assert "was torn" in outcome.notes[0]
    assert (run / f"{JOURNAL}.torn").read_bytes() == b'{"op_code":4,"worker_id":"\n'
    rows = check(run, outcome)
    assert [row.digest for row in rows[: len(before)]] == [row.digest for row in before]
    assert outcome.trained == 3


def test_a_folder_that_vanishes_is_one_line(write: Write, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "run"

    def vanish(status: Status) -> None:
        if status.trained == 1:
            shutil.rmtree(run, ignore_errors=True)

    with pytest.raises(ArchError, match="cannot write: no such file or directory") as caught:
        search(write(), run, progress=vanish)
    assert str(run) in str(caught.value)


def test_a_wrong_device_is_refused_before_anything_is_written(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="no device 'gpu'"):
        search_study(write(), folder=tmp_path / "run", device="gpu")
    assert not (tmp_path / "run").exists()


def test_data_that_is_not_there_is_one_line(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="CIFAR10 is not here"):
        search(write(train={"data": "cifar10"}, keep={}), tmp_path / "run", root=tmp_path)


def test_a_script_needs_no_main_guard(write: Write, tmp_path: Path) -> None:
    """The processes that train do not run the caller's script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "print('once')\nimport archgen\n"
        f"print(archgen.search({str(write(trials=2))!r}, device='cpu').ending)\n"
    )
    ran = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout == "once\ncomplete\n", ran.stderr
