"""The search in one process: what is trained, what is not, what is kept, how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import median

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
    search,
    trials,
)
from archgen.study import run as run_module  # noqa: E402
from archgen.study.storage import JOURNAL, open_journal  # noqa: E402
from archgen.study.trainer import Trainer  # noqa: E402
from archgen.train.device import use_threads  # noqa: E402
from archgen.train.evaluate import evaluate  # noqa: E402
from archgen.train.result import Result  # noqa: E402

from .conftest import Write  # noqa: E402

pytestmark = pytest.mark.torch


def trained(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.trained]


def check(folder: Path, outcome: Outcome) -> list[Row]:
    """What holds behind every search."""
    rows = trials(folder)
    assert [row.number for row in rows] == list(range(len(rows)))
    digests = [row.digest for row in trained(rows)]
    assert len(set(digests)) == len(digests), "a network was trained twice"
    assert outcome.trained == len(digests)
    for row in rows:
        place = folder / "trials" / f"{row.number:04d}"
        if not row.trained:
            assert not place.exists() or row.state == "interrupted"
            continue
        assert archgen.cost(archgen.load(place / "spec.yaml")).params == row.costs["params"]
        if row.epochs:
            lines = (place / "curve.jsonl").read_text().splitlines()
            assert len(lines) == row.epochs
            assert json.loads(lines[-1])["top1"] == row.top1
    weights = sorted(path.parent.name for path in folder.glob("trials/*/weights.pt"))
    assert weights == sorted(f"{row.number:04d}" for row in outcome.best)
    return rows


def test_a_search_from_start_to_end(write: Write, tmp_path: Path) -> None:
    seen: list[Status] = []
    run = tmp_path / "run"
    outcome = search(write(trials=6), folder=run, device="cpu", progress=seen.append)
    assert (outcome.ending, outcome.trained, outcome.trials) == ("complete", 6, 6)
    rows = check(run, outcome)

    # What is over a limit is never trained, and Optuna knows by how much.
    over = [row for row in rows if row.costs["params"] > 170]
    assert over
    assert {row.state for row in over} == {"infeasible"}
    assert over[0].reason.startswith("beyond params.max by ")
    storage = open_journal(run)
    known = storage.get_all_trials(storage.get_study_id_from_name("tiny"))
    assert all(trial.constraints.keys() == {"builds", "params.max"} for trial in known)
    assert [any(v > 0 for v in trial.constraints.values()) for trial in known] == [
        row in over for row in rows
    ]

    # The best is the best on validation; only it was tested, with the weights that were kept.
    (top,) = outcome.best
    assert top.scores["top1"] == max(row.top1 for row in trained(rows) if row.top1 is not None)
    assert [row.number for row in rows if row.test is not None] == [top.number]
    assert best(run)[0] == top
    assert best_net(run).digest() == top.digest
    model = archgen.build(best_net(run))
    weights = torch.load(run / "trials" / f"{top.number:04d}" / "weights.pt", weights_only=True)
    model.load_state_dict(weights)
    from archgen.train.data import digits

    with use_threads(1):
        data = digits(torch.device("cpu"))
        scores = evaluate(model, data.validation)
        assert (scores.loss, scores.top1) == (top.loss, top.top1)
        assert evaluate(model, data.test).top1 == top.test

    # Progress: a first call, each epoch, each end.
    assert seen[0].row is None
    assert [s.row.epochs for s in seen if s.row and s.row.state == "running"] == [1, 2] * 6
    assert len([s for s in seen if s.row and s.row.state != "running"]) == len(rows)
    assert seen[-1].trained == 6
    assert seen[-1].eta == 0
    assert seen[-1].counts["complete"] + seen[-1].counts.get("pruned", 0) == 6


def test_a_cpu_search_repeats_exactly(write: Write, tmp_path: Path) -> None:
    study = write(sampler={"kind": "tpe", "seed": 3}, trials=3)
    for name in ("one", "two"):
        search(study, folder=tmp_path / name, device="cpu")
    one, two = ([replace(row, seconds=0.0) for row in trials(tmp_path / n)] for n in ("one", "two"))
    assert one == two


def test_a_resume_goes_on_and_repeats_nothing(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(write(trials=2), folder=run, device="cpu")
    before = trials(run)
    outcome = search(write(trials=2), folder=run, device="cpu", trials=5)
    rows = check(run, outcome)
    assert outcome.trained == 5
    assert [r.digest for r in rows[: len(before)]] == [r.digest for r in before]
    assert [r.curve for r in rows[: len(before)]] == [r.curve for r in before]
    assert "2 candidates are trained already" in outcome.notes[0]
    # The sampler did not start over.
    first = [row.vary for row in rows[: len(before)]]
    assert [row.vary for row in rows[len(before) :]][: len(before)] != first
    again = search(write(trials=2), folder=run, device="cpu")
    assert (again.ending, len(trials(run))) == ("complete", len(rows))


def test_two_spellings_of_one_network_are_trained_once(write: Write, tmp_path: Path) -> None:
    """The name of a spec is no part of its digest."""
    run = tmp_path / "run"
    vary = {"name": {"any": ["one", "two"]}, "stem.width": {"from": 3, "to": 4}}
    study = write(vary=vary, keep={}, trials=2)
    outcome = search(study, folder=run, device="cpu")
    rows = check(run, outcome)
    by_number = {row.number: row for row in rows}
    copies = [row for row in rows if row.state == "duplicate"]
    for row in copies:
        original = by_number[int(row.reason.split()[-1])]
        assert (row.digest, row.scores) == (original.digest, original.scores)
    # Whether chance proposed one or not, the space holds no third network.
    more = search(study, folder=run, device="cpu", trials=3)
    assert (more.ending, more.trained) == ("exhausted", 2)
    assert "space exhausted: the last 200 candidates were 200 duplicate" in more.message
    assert more.best[0].test is not None
    check(run, more)


def test_a_study_that_excludes_all_is_exhausted(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "EXHAUSTED", 20)
    outcome = search(write(keep={"params": {"max": 1}}), folder=tmp_path / "run", device="cpu")
    assert (outcome.ending, outcome.trained, outcome.best) == ("exhausted", 0, ())
    assert outcome.notes[0].startswith("0 of 200 random candidates are feasible")
    with pytest.raises(ArchError, match="no candidate is complete"):
        best_net(tmp_path / "run")


def test_what_does_not_build_is_infeasible(write: Write, tmp_path: Path) -> None:
    vary = {"stem.width": {"any": [4, 6]}, "mid.groups": {"any": [1, 4]}}
    study = write(vary=vary, keep={}, spec="mid.yaml", trials=3)
    spec = (tmp_path / "small.yaml").read_text()
    mid = spec.replace("  head:", "  mid: {block: conv_norm, width: 8}\n  head:")
    (tmp_path / "mid.yaml").write_text(mid)
    outcome = search(study, folder=tmp_path / "run", device="cpu", trials=4)
    assert (outcome.ending, outcome.trained) == ("exhausted", 3)
    rows = trials(tmp_path / "run")
    broken = [row for row in rows if row.vary == {"stem.width": 6, "mid.groups": 4}]
    assert broken
    assert all(row.state == "infeasible" and "groups" in row.reason for row in broken)


@pytest.mark.parametrize("kind", ["tpe", "random", "nsga2"])
def test_two_scores_give_a_front(write: Write, tmp_path: Path, kind: str) -> None:
    run = tmp_path / "run"
    study = write(
        score={"top1": "maximize", "macs": "minimize"},
        sampler={"kind": kind, "seed": 1},
        pruner={"kind": "median", "startup": 2, "warmup": 0},
        trials=7,
    )
    outcome = search(study, folder=run, device="cpu")
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
    rows = check(run, search(study, folder=run, device="cpu"))
    pruned = [row for row in rows if row.state == "pruned"]
    assert all(row.epochs < 3 and not row.scores for row in pruned)
    assert 0 < pruned_when_due(rows, score, 3) == len(pruned) < 14


def test_with_two_scores_the_cheapest_so_far_is_never_pruned(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wide ones first; each later one is cheaper than all before, and behind in accuracy."""
    widths = iter([40, 36, 32, 8, 6, 4, 3, 2])
    monkeypatch.setattr(run_module.sampling, "values", lambda *_: {"stem.width": next(widths)})
    run = tmp_path / "run"
    study = write(
        vary={"stem.width": {"from": 2, "to": 40}},
        score={"top1": "maximize", "params": "minimize"},
        pruner={"kind": "median", "startup": 2, "warmup": 0},
        keep={},
        trials=8,
    )
    rows = check(run, search(study, folder=run, device="cpu"))
    assert [row.state for row in rows] == ["complete"] * 8
    assert min(row.costs["params"] for row in best(run)) == rows[-1].costs["params"]


def test_the_test_split_is_looked_at_once(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    looked: list[int] = []
    honest = Trainer.test

    def counted(trainer: Trainer, row: Row) -> float:
        looked.append(row.number)
        return honest(trainer, row)

    monkeypatch.setattr(Trainer, "test", counted)
    first = search(write(trials=2), folder=run, device="cpu")
    again = search(write(trials=2), folder=run, device="cpu")
    assert looked == [first.best[0].number]
    assert again.best[0].test == first.best[0].test
    more = search(write(trials=6), folder=run, device="cpu")
    search(write(trials=6), folder=run, device="cpu")
    assert looked == list(dict.fromkeys([first.best[0].number, more.best[0].number]))


def test_the_seed_of_training_decides_the_first_weights(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[torch.Tensor] = []

    def seen(model: torch.nn.Module, *_: object, **__: object) -> Result:
        started.append(torch.cat([value.flatten().clone() for value in model.parameters()]))
        return Result("diverged", (), 0.0)

    monkeypatch.setattr("archgen.train.loop.train", seen)
    for place, seed in enumerate([0, 0, 1]):
        train = {"data": "digits", "epochs": 1, "seed": seed}
        study = load_study(write(train=train, keep={}))
        trainer = Trainer(study, tmp_path / str(place), "cpu")
        torch.rand(place)  # what others draw changes nothing
        trainer.train(Row(0, "running"), study.net, lambda _: None)
    assert torch.equal(started[0], started[1])
    assert not torch.equal(started[0], started[2])


def test_an_interrupted_candidate_is_trained_again(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    study = write(vary={"stem.kernel": {"any": [1, 3]}}, keep={}, trials=2)

    def stop(status: Status) -> None:
        if status.row and status.row.state == "running":
            raise KeyboardInterrupt

    assert search(study, folder=run, device="cpu", progress=stop).ending == "interrupted"
    (lost,) = trials(run)
    assert lost.state == "interrupted"
    outcome = search(study, folder=run, device="cpu")
    assert (outcome.ending, outcome.trained) == ("complete", 2)
    assert lost.digest in {row.digest for row in trained(check(run, outcome))}


def test_divergence_is_a_result(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    spec = "name: bare\ninput: [1, 8, 8]\nnodes:\n"
    spec += "  a: {block: conv, width: 8}\n  b: {block: conv, width: 8}\n"
    spec += "  head: {block: pool_linear, classes: 10}\n"
    (tmp_path / "bare.yaml").write_text(spec)
    study = write(
        spec="bare.yaml",
        vary={"a.width": {"from": 2, "to": 9}},
        keep={},
        train={"data": "digits", "epochs": 8, "batch": 32, "lr": 100.0, "warmup": 0.0},
        trials=2,
    )
    rows = check(run, search(study, folder=run, device="cpu"))
    assert [(row.state, row.scores) for row in trained(rows)] == [("diverged", {})] * 2
    assert "no finite number in epoch " in rows[0].reason


def test_an_error_in_training_leaves_nothing_running(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patched:

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("out of luck\nwith details")

        patched.setattr("archgen.train.loop.train", broken)
        with pytest.raises(RuntimeError, match="out of luck"):
            search(write(keep={}), folder=run, device="cpu")
    assert [(row.state, row.reason) for row in trials(run)] == [("failed", "out of luck")]
    assert search(write(keep={}), folder=run, device="cpu").trained == 4


def test_a_torn_journal_is_repaired_and_said(write: Write, tmp_path: Path) -> None:
    run = tmp_path / "run"
    search(write(trials=2), folder=run, device="cpu")
    before = trials(run)
    with (run / JOURNAL).open("ab") as stream:
        stream.write(b'{"op_code":4,"worker_id":"')
    outcome = search(write(trials=3), folder=run, device="cpu")
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

    with pytest.raises(ArchError, match=f"^{run}.*cannot write: "):
        search(write(), folder=run, device="cpu", progress=vanish)


def test_a_wrong_device_is_refused_before_anything_is_written(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="no device 'gpu'"):
        search(write(), folder=tmp_path / "run", device="gpu")
    assert not (tmp_path / "run").exists()
