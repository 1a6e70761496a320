"""How archgen compares with its peers: ratios, measured in turn in one run, on one thread.

    python benchmarks/speed.py [--rounds 30]

Every round runs each pair back to back; what is printed is the median of the rounds' ratios
(archgen over peer) with the quartiles, in CPU seconds of the process, which other processes
cannot lengthen. Needs the ``peers`` extra. `benchmarks/analysis.py` compares what needs no weights.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@dataclass(frozen=True)
class Pair:
    """Two ways to do one thing, and the ratio that archgen aims at."""

    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any]
    aim: float
    clock: Callable[[], float] = time.process_time


def children_seconds() -> float:
    """CPU seconds of finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_python(*arguments: str) -> None:
    """Run a fresh interpreter to the end."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def process_pairs() -> list[Pair]:
    """Whole processes: `archgen show` against importing PyTorch."""
    show = [str(Path(sys.executable).parent / "archgen"), "show", "dpn131"]
    return [
        Pair(
            "archgen show dpn131 / import torch (process)",
            lambda: run_python(*show),
            lambda: run_python("-c", "import torch"),
            0.3,
            children_seconds,
        )
    ]


def model_pairs() -> list[Pair]:
    """Forward and training step of generated modules against timm's."""
    import timm
    import torch

    import archgen

    pairs = []
    for name in ("dpn68", "resnet50"):
        ours, peer = archgen.build(archgen.load(name)), timm.create_model(name)
        image = torch.randn(1, 3, 224, 224)
        batch, labels = torch.randn(8, 3, 96, 96), torch.arange(8)

        def forward(model: torch.nn.Module, image: torch.Tensor = image) -> None:
            model.eval()
            with torch.inference_mode():
                model(image)

        def step(
            model: torch.nn.Module,
            batch: torch.Tensor = batch,
            labels: torch.Tensor = labels,
        ) -> None:
            model.train()
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
            torch.nn.functional.cross_entropy(model(batch), labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()

        for what, run in (("forward", forward), ("training step", step)):
            pairs.append(
                Pair(
                    f"{what} of {name} / timm",
                    lambda run=run, model=ours: run(model),  # type: ignore[misc]
                    lambda run=run, model=peer: run(model),  # type: ignore[misc]
                    1.05,
                )
            )
    return pairs


def measure(pair: Pair, rounds: int) -> dict[str, Any]:
    """Run both sides in turn, order swapped every round; give the ratios' quartiles."""
    for side in (pair.ours, pair.peer):
        side()
    ratios, seconds = [], []
    for index in range(rounds):
        taken: dict[bool, float] = {}
        for is_ours in (True, False) if index % 2 else (False, True):
            gc.collect()
            start = pair.clock()
            (pair.ours if is_ours else pair.peer)()
            taken[is_ours] = pair.clock() - start
        ratios.append(taken[True] / taken[False])
        seconds.append(taken[True])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "name": pair.name,
        "ratio": middle,
        "quartiles": [low, high],
        "ours_ms": 1e3 * statistics.median(seconds),
        "aim": pair.aim,
        "rounds": rounds,
    }


def main() -> None:
    """Measure all pairs and print a table (or JSON)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()

    results = [measure(pair, options.rounds) for pair in process_pairs()]
    import torch

    torch.set_num_threads(1)
    results += [measure(pair, options.rounds) for pair in model_pairs()]
    if options.json:
        print(json.dumps({"torch": torch.__version__, "results": results}, indent=1))
        return
    print(f"torch {torch.__version__}, 1 thread, median of {options.rounds} paired rounds\n")
    for row in results:
        low, high = row["quartiles"]
        verdict = "reached" if row["ratio"] <= row["aim"] else "MISSED"
        print(
            f"{row['name']:<48} {row['ratio']:8.4f} [{low:.4f} to {high:.4f}] "
            f"aim {row['aim']:.4f} {verdict}; {row['ours_ms']:.1f} ms"
        )


if __name__ == "__main__":
    main()
