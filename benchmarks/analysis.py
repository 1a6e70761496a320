"""How fast networks are costed and built, against peers, measured in turn in one run.

    python benchmarks/analysis.py [--rounds 30]

Every round runs each pair back to back on one thread; what is printed is the median of the
rounds' ratios (archgen over peer) with the quartiles, in CPU seconds, which other processes
cannot lengthen, and the peak memory of whole processes. Needs the ``peers`` extra.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

from speed import Pair, children_seconds, measure, run_python

WIDENINGS = cycle(range(30, 330))
"""Values of alpha for candidates, each another network."""
PROCESSES = 3
"""Rounds of whole processes, each of seconds, for one of the others."""
COST = ("-m", "archgen", "cost", "dpn131")
FVCORE = """
import timm, torch
from fvcore.nn import FlopCountAnalysis, parameter_count
model = timm.create_model("dpn131").eval()
FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224)).total()
parameter_count(model)
"""
META = """
import timm, torch
from torch.utils.flop_counter import FlopCounterMode
with torch.device("meta"):
    model, image = timm.create_model("dpn131"), torch.zeros(1, 3, 224, 224)
with FlopCounterMode(display=False) as counter:
    model(image)
counter.get_total_flops(), sum(p.numel() for p in model.parameters())
"""
PEERS = {"fvcore": FVCORE, "FlopCounterMode on meta": META, "import torch": "import torch"}


@contextmanager
def no_fills() -> Iterator[None]:
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


def process_pairs() -> list[Pair]:
    """Whole processes that cost DPN-131."""
    return [
        Pair(
            f"archgen cost dpn131 / {name} (process)",
            lambda: run_python(*COST),
            lambda code=code: run_python("-c", code),  # type: ignore[misc]
            aim,
            children_seconds,
        )
        for (name, code), aim in zip(PEERS.items(), (0.35 / 4.9, 0.35 / 3.95, 0.2), strict=True)
    ]


def peak_mebibytes(*arguments: str) -> float:
    """Run a fresh interpreter and give the most memory that it had."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss / 1024


def static_pairs() -> list[Pair]:
    """Costs, candidates and construction in a running process."""
    import timm
    import torch
    from fvcore.nn import FlopCountAnalysis, parameter_count
    from torch.utils.flop_counter import FlopCounterMode

    import archgen

    image = torch.zeros(1, 3, 224, 224)
    net, candidates = archgen.load("dpn131"), archgen.load("pyramidnet110_a48")
    small = torch.zeros(1, 3, 32, 32, device="meta")

    def counted() -> int:
        counts = archgen.cost(archgen.load("dpn131"))
        return counts.params + counts.macs + counts.saved_bytes

    def by_fvcore() -> None:
        analysis = FlopCountAnalysis(timm.create_model("dpn131").eval(), image)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
        parameter_count(analysis._model)

    def on_meta() -> None:
        with torch.device("meta"):
            model = timm.create_model("dpn131")
        count_on_meta(model, image.to("meta"))

    def count_on_meta(model: torch.nn.Module, image: torch.Tensor) -> None:
        with FlopCounterMode(display=False) as counter:
            model(image)
        sum(p.numel() for p in model.parameters())
        counter.get_total_flops()

    def with_memory() -> None:
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

    def candidate() -> archgen.Net:
        return candidates.set({"stages.width.alpha": next(WIDENINGS)})

    def candidate_on_meta() -> None:
        with torch.device("meta"):
            count_on_meta(archgen.build(candidate(), init=False), small)

    def floor() -> None:
        with no_fills():
            timm.create_model("dpn131")

    everything = "load, lower, params, MACs, memory of dpn131"
    return [
        Pair(f"{everything} / timm + fvcore", counted, by_fvcore, 1 / 200),
        Pair("the same / timm + FlopCounterMode on meta", counted, on_meta, 1 / 50),
        Pair("the same / timm + saved_tensors_hooks on meta", counted, with_memory, 1 / 20),
        Pair(
            "candidate of PyramidNet-110 / FlopCounterMode on meta",
            lambda: archgen.cost(candidate()),
            candidate_on_meta,
            1 / 50,
        ),
        Pair(
            "build dpn131 without initialisation / timm",
            lambda: archgen.build(net, init=False),
            floor,
            1.0,
        ),
        Pair(
            "build dpn131 with initialisation / timm",
            lambda: archgen.build(net),
            lambda: timm.create_model("dpn131"),
            1.0,
        ),
    ]


def per_second(run: Callable[[], Any], seconds: float = 2.0) -> float:
    """Count how often something runs in a CPU second."""
    count, start = 0, time.process_time()
    while (taken := time.process_time() - start) < seconds:
        run()
        count += 1
    return count / taken


def main() -> None:
    """Measure all pairs and print a table (or JSON)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()

    results = [measure(pair, min(options.rounds, PROCESSES)) for pair in process_pairs()]
    memory = {"archgen cost dpn131": peak_mebibytes(*COST)}
    memory |= {name: peak_mebibytes("-c", code) for name, code in PEERS.items()}
    import torch

    import archgen

    torch.set_num_threads(1)
    results += [measure(pair, options.rounds) for pair in static_pairs()]
    base = archgen.load("pyramidnet110_a48")
    rate = per_second(lambda: archgen.cost(base.set({"stages.width.alpha": next(WIDENINGS)})))
    if options.json:
        found = {"results": results, "peak_mib": memory, "candidates_per_second": rate}
        print(json.dumps({"torch": torch.__version__} | found, indent=1))
        return
    print(f"torch {torch.__version__}, 1 thread, median of {options.rounds} paired rounds\n")
    for row in results:
        low, high = row["quartiles"]
        verdict = "reached" if row["ratio"] <= row["aim"] else "MISSED"
        print(
            f"{row['name']:<60} 1/{1 / row['ratio']:<6.1f} [1/{1 / high:.1f} to 1/{1 / low:.1f}] "
            f"aim 1/{1 / row['aim']:.1f} {verdict}; {row['ours_ms']:.1f} ms"
        )
    print("\npeak memory of processes, MiB:")
    for name, most in memory.items():
        print(f"{name:<60} {most:.0f}")
    print(f"\ncandidates of PyramidNet-110: {rate:.0f} per second (aim 500)")


if __name__ == "__main__":
    main()
