"""How fast a search goes: trials an hour against a plain script, by workers, and what is overhead.

    python benchmarks/search.py [--trials 24] [--rounds 1]

The plain script is `benchmarks/plain.py`: Optuna's loop as its tutorials write it, with the same
data, recipe and limits. All are measured in turn, in wall-clock time, each without its start-up:
nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

STUDY = "pyramid"


def ours(trials: int, seed: int, workers: int, cores: int) -> dict[str, float]:
    """Run archgen's search in this process, on some of the cores, in a folder that is dropped."""
    import archgen
    from archgen.study import load_study

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    study = load_study(STUDY)
    loaded = study.model_copy(
        update={"sampler": study.sampler.model_copy(update={"seed": seed}), "trials": trials}
    )
    loaded._net = study._net
    began: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        outcome = archgen.search(
            loaded,
            device="cpu",
            workers=workers,
            folder=Path(place) / "run",
            progress=lambda _: began.append(time.perf_counter()) if not began else None,
        )
        hours = (time.perf_counter() - began[0]) / 3600
        rows = archgen.study.trials(Path(place) / "run")
    return {
        "hours": hours,
        "trained": outcome.trained,
        "best": outcome.best[0].scores["top1"],
        "training": sum(row.seconds for row in rows if row.trained) / 3600 / workers,
    }


def overhead(seconds: float) -> float:
    """The part of a one-worker search of trials of about ``seconds`` that is not training."""
    from archgen.study import load_study

    study = load_study(STUDY)
    epochs = max(2, round(study.train.epochs * seconds / 2.5))
    recipe = study.train.model_copy(update={"epochs": epochs})
    loaded = study.model_copy(update={"train": recipe, "pruner": type(study.pruner)(kind="none")})
    loaded._net = study._net
    import archgen

    began: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        archgen.search(
            loaded, trials=4, device="cpu", workers=1, folder=Path(place) / "run",
            progress=lambda _: began.append(time.perf_counter()),
        )  # fmt: skip
        ended = began[-1]
        rows = [row for row in archgen.study.trials(Path(place) / "run") if row.trained]
    spent = sum(row.seconds for row in rows)
    print(f"  trials of {spent / len(rows):.1f} s", file=sys.stderr)
    return 1 - spent / (ended - began[0])


def ten_thousand(count: int, two: bool) -> dict[str, float]:
    """Open a study with so many recorded candidates, and ask for one more, in seconds."""
    from archgen.study import load_study
    from archgen.study.judge import judge
    from archgen.study.propose import Proposer
    from archgen.study.record import Record
    from archgen.study.report import Row
    from archgen.study.sampler import params_of
    from archgen.study.space import values_at
    from archgen.study.storage import owned, settle

    study = load_study(STUDY)
    if two:
        net = study._net
        study = study.model_copy(update={"score": {"top1": "maximize", "macs": "minimize"}})
        study._net = net
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "run"
        with owned(home):
            settle(home, study)
            record = Record(study, home)
            for number in range(count):
                vary = values_at(study.vary, lambda _: chance.random())
                judged = judge(study, vary)
                row = Row(number, "running", vary, judged.costs, judged.digest)
                known = {"top1": 90 + 9 * chance.random(), "macs": float(judged.costs["macs"])}
                ended = Row(
                    number,
                    "complete",
                    vary,
                    judged.costs,
                    judged.digest,
                    scores={name: known[name] for name in study.score},
                    top1=known["top1"],
                    loss=0.1,
                    epochs=10,
                    curve=tuple(90 + chance.random() for _ in range(10)),
                    seconds=3.0,
                )
                if not judged.feasible:
                    row = Row(number, "infeasible", vary, judged.costs, "", reason=judged.reason)
                record.add(row, *params_of(study, vary), judged.violations)
                if judged.feasible:
                    record.end(ended)
            began = time.perf_counter()
            rows = Record(study, home).rows()
            opened = time.perf_counter()
            proposer = Proposer(study, rows, seed=0)
            ready = time.perf_counter()
            asks = []
            for _ in range(10):
                before = time.perf_counter()
                proposal = proposer.ask()
                asks.append(time.perf_counter() - before)
                assert proposal is not None
    return {
        "open": opened - began,
        "proposer": ready - opened,
        "first ask": asks[0],
        "median ask": statistics.median(asks[1:]),
    }


def apart(kind: str, *arguments: float) -> dict[str, float]:
    """Run one measurement in a fresh process."""
    command = [sys.executable, __file__, "--only", kind, *map(str, arguments)]
    if kind == "plain":
        command = [sys.executable, str(Path(__file__).with_name("plain.py")), *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def only(kind: str, numbers: Sequence[float]) -> dict[str, float]:
    """One measurement, in this process."""
    whole = [int(number) for number in numbers]
    if kind == "ours":
        return ours(*whole)
    if kind == "overhead":
        return {"overhead": overhead(numbers[0])}
    return ten_thousand(whole[0], bool(whole[1]))


def main() -> None:
    """Measure all and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=24, help="candidates trained in each search")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is measured in turn")
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(only(given.only[0], [float(n) for n in given.only[1:]])))
        return
    cores = len(os.sched_getaffinity(0))
    ways: dict[str, tuple[str, list[int]]] = {
        "plain script": ("plain", []),
        "archgen, 1 worker of 1 thread": ("ours", [1, 1]),
        f"archgen, {cores} workers of 1 thread": ("ours", [cores, cores]),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    bests: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(given.rounds):
        for name, (kind, more) in ways.items():
            found = apart(kind, given.trials, seed, *more)
            rates[name].append(found["trained"] / found["hours"])
            bests[name].append(found["best"])
            print(f"{name}: {rates[name][-1]:.0f} trials an hour", file=sys.stderr)
    print("| search of the pyramid study | trials an hour | of the plain script | best top-1 |")
    print("|---|---|---|---|")
    for name in ways:
        ratio = statistics.median(
            ours / plain for ours, plain in zip(rates[name], rates["plain script"], strict=True)
        )
        rate, best = statistics.median(rates[name]), statistics.median(bests[name])
        print(f"| {name} | {rate:,.0f} | {ratio:.2f} | {best:.2f} % |")
    print()
    print(f"outside training, trials of about 10 s: {apart('overhead', 10)['overhead']:.1%}")
    for two in (0, 1):
        found = apart("open", 10_000, two)
        said = ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in found.items())
        print(f"10,000 candidates recorded, {two + 1} scores: {said}")


if __name__ == "__main__":
    main()
