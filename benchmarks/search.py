"""How fast a search goes: trials an hour against a plain script, by workers, and what is overhead.

    python benchmarks/search.py [--trials 24] [--rounds 1]

The plain script is Optuna's loop as its tutorials write it, around a PyramidNet written as model
libraries write them: float32, one process, as many threads as torch takes. It trains with the
same recipe on the same data, under the same limits, and reports each epoch to Optuna's pruner.
All are measured in turn, in wall-clock time: nothing else should run on the machine.
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
from typing import Any

STUDY = "pyramid"


def script(trials: int, seed: int) -> dict[str, float]:
    """Run the plain script in this process; see the module's text."""
    import optuna
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.flop_counter import FlopCounterMode

    from archgen.study import load_study
    from archgen.train.data import load_data
    from archgen.train.evaluate import evaluate

    recipe = load_study(STUDY).train

    class Unit(nn.Module):
        def __init__(self, inp: int, out: int, stride: int, widen: str) -> None:
            super().__init__()
            self.norm1, self.conv1 = nn.BatchNorm2d(inp), nn.Conv2d(inp, out, 3, stride, 1, bias=False)
            self.norm2, self.conv2 = nn.BatchNorm2d(out), nn.Conv2d(out, out, 3, 1, 1, bias=False)
            self.norm3 = nn.BatchNorm2d(out)
            self.down = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
            self.widen = None
            if widen == "conv" and inp != out:
                self.widen = nn.Sequential(nn.Conv2d(inp, out, 1, bias=False), nn.BatchNorm2d(out))

        def forward(self, x: Any) -> Any:
            y = functional.relu(self.norm2(self.conv1(self.norm1(x))))
            y = self.norm3(self.conv2(y))
            x = self.down(x)
            if self.widen is not None:
                x = self.widen(x)
            elif y.shape[1] > x.shape[1]:
                x = functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
            return x + y

    class PyramidNet(nn.Module):
        def __init__(self, alpha: int, depth: Sequence[int], widen: str) -> None:
            super().__init__()
            inp = 16
            layers: list[nn.Module] = [nn.Conv2d(1, inp, 3, 1, 1, bias=False), nn.BatchNorm2d(inp)]
            total, unit = sum(depth), 0
            for stage, count in enumerate(depth):
                for index in range(count):
                    unit += 1
                    out = int(16 + alpha * unit / total)
                    layers.append(Unit(inp, out, 2 if stage and not index else 1, widen))
                    inp = out
            self.body = nn.Sequential(*layers, nn.BatchNorm2d(inp), nn.ReLU())
            self.head = nn.Linear(inp, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.body(x).mean((2, 3)))

    data = load_data("digits", torch.device("cpu"))
    counted = {"trained": 0}
    choices = {
        "stages.depth": [[1, 1, 1], [1, 1, 2], [1, 2, 1], [2, 1, 1], [1, 2, 2], [2, 2, 2], [3, 3, 3]],
    }

    def objective(trial: optuna.Trial) -> float:
        alpha = trial.suggest_int("alpha", 4, 84)
        depth = choices["stages.depth"][trial.suggest_int("depth", 0, 6)]
        widen = trial.suggest_categorical("widen", ["zeros", "conv"])
        torch.manual_seed(recipe.seed)
        model = PyramidNet(alpha, depth, widen)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(1, 1, 8, 8))
        macs = counter.get_total_flops() // 2
        if sum(p.numel() for p in model.parameters()) > 200e3 or macs > 3e6:
            raise optuna.TrialPruned
        counted["trained"] += 1
        optimiser = torch.optim.SGD(
            model.parameters(), lr=recipe.lr, momentum=0.9, nesterov=True,
            weight_decay=recipe.weight_decay,
        )  # fmt: skip
        draw = torch.Generator().manual_seed(recipe.seed)
        steps = len(data.train) // recipe.batch
        step = 0
        for epoch in range(recipe.epochs):
            model.train()
            for images, labels in data.train.shuffled(recipe.batch, draw, augment=True):
                for group in optimiser.param_groups:
                    group["lr"] = recipe.rate(step, steps)
                optimiser.zero_grad()
                functional.cross_entropy(model(images), labels).backward()
                optimiser.step()
                step += 1
            top1 = evaluate(model, data.validation).top1
            trial.report(top1, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return top1

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5),
    )
    began = time.perf_counter()

    def enough(study: optuna.Study, _: Any) -> None:
        if counted["trained"] >= trials:
            study.stop()

    study.optimize(objective, callbacks=[enough])
    return {
        "hours": (time.perf_counter() - began) / 3600,
        "trained": counted["trained"],
        "best": study.best_value,
    }


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
    from archgen.study.propose import Proposer, params_of
    from archgen.study.record import Record
    from archgen.study.report import Row
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
                vary = {path: one.draw(chance) for path, one in study.vary.items()}
                judged = judge(study, vary)
                row = Row(number, "running", vary, judged.costs, judged.digest, reason=judged.reason)
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
                if judged.reason:
                    row = Row(number, "infeasible", vary, judged.costs, "", reason=judged.reason)
                record.add(row, *params_of(study, vary), judged.over)
                if not judged.reason:
                    record.end(ended)
            began = time.perf_counter()
            rows = Record(study, home).rows()
            opened = time.perf_counter()
            proposer = Proposer(study, rows)
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
    command = [sys.executable, __file__, "--only", kind, *[str(one) for one in arguments]]
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def only(kind: str, numbers: Sequence[float]) -> dict[str, float]:
    """One measurement, in this process."""
    whole = [int(number) for number in numbers]
    if kind == "script":
        return script(*whole)
    if kind == "ours":
        return ours(*whole)
    if kind == "overhead":
        return {"overhead": overhead(numbers[0])}
    return ten_thousand(whole[0], bool(whole[1]))


def main() -> None:
    """Measure all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=24, help="candidates trained in each search")
    parser.add_argument("--rounds", type=int, default=1, help="how often all is measured in turn")
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(only(given.only[0], [float(n) for n in given.only[1:]])))
        return
    cores = len(os.sched_getaffinity(0))
    ways = {
        "plain script": ("script", given.trials),
        "archgen, 1 worker of 1 thread": ("ours", given.trials, 1, 1),
        f"archgen, 1 worker of {cores} threads": ("ours", given.trials, 1, cores),
        f"archgen, {cores} workers of 1 thread": ("ours", given.trials, cores, cores),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    bests: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(given.rounds):
        for name, (kind, trials, *more) in ways.items():
            found = apart(kind, trials, seed, *more)
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
