"""How archgen compares with its peers: ratios, measured in turn in one run, on one thread.

    python benchmarks/speed.py [--rounds 30]

Every round runs each pair back to back; what is printed is the median of the rounds' ratios
(archgen over peer) with the quartiles, in CPU seconds of the process, which other processes
cannot lengthen. Needs the ``peers`` extra.
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
from contextlib import contextmanager
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


@contextmanager
def no_fills() -> Any:
    """Switch PyTorch's initialisers off, as the fairest floor for the peer's constructor."""
    from torch.nn import init

    names = ("kaiming_uniform_", "kaiming_normal_", "uniform_", "normal_", "ones_", "zeros_",
             "constant_", "trunc_normal_")  # fmt: skip
    kept = {name: getattr(init, name) for name in names}
    for name in names:
        setattr(init, name, lambda tensor, *args, **kwargs: tensor)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(init, name, function)


def static_pairs() -> list[Pair]:
    """Costs and construction of DPN-131 in a running process."""
    import timm
    import torch
    from fvcore.nn import FlopCountAnalysis, parameter_count

    import archgen
    from archgen.analysis import saved_bytes

    image = torch.zeros(1, 3, 224, 224)
    net = archgen.load("dpn131")

    def with_memory(graph: archgen.Graph) -> None:
        archgen.cost(graph)
        saved_bytes(graph)

    def counted() -> None:
        analysis = FlopCountAnalysis(timm.create_model("dpn131").eval(), image)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
        parameter_count(analysis._model)

    def watched() -> None:
        with no_fills():
            model = timm.create_model("dpn131").to("meta")
        storages: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            storages[storage._cdata] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model(image.to("meta"))
        sum(storages.values())

    def peer_built() -> None:
        with no_fills():
            timm.create_model("dpn131")

    return [
        Pair(
            "load + lower + cost of dpn131 / timm + fvcore",
            lambda: archgen.cost(archgen.load("dpn131")),
            counted,
            1 / 80,
        ),
        Pair(
            "the same + saved_bytes / timm on meta, saved_tensors_hooks",
            lambda: with_memory(archgen.load("dpn131").graph()),
            watched,
            1 / 20,
        ),
        Pair(
            "build dpn131 without initialisation / timm",
            lambda: archgen.build(net, init=False),
            peer_built,
            1.2,
        ),
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
    results += [measure(pair, options.rounds) for pair in static_pairs() + model_pairs()]
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
