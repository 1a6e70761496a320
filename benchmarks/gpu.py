"""How archgen's networks do on a CUDA device: training against timm, ParNet's latency.

    python benchmarks/gpu.py [--rounds 20]

Every round runs each pair back to back; printed are medians and the median of the rounds' ratios
(archgen over peer, lower is better). Needs a CUDA device and the ``peers`` extra.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch

import archgen
from archgen.train.optim import Stepper
from archgen.train.recipe import Recipe
from archgen.train.result import Setting

PAIRS = {"resnet50": "resnet50", "dpn68": "dpn68", "dpn92": "dpn92", "densenet121": "densenet121"}
BATCH = 64


def milliseconds(work: Callable[[], Any], repeats: int = 5) -> float:
    """Of one call, on the device's own clock."""
    start: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    end: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    work()
    start.record()
    for _ in range(repeats):
        work()
    end.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / repeats


def step_of(model: torch.nn.Module, device: torch.device) -> Callable[[], Any]:
    """A training step in bfloat16 and channels_last, on images that lie on the device."""
    recipe = Recipe(batch=BATCH, lr=0.01)
    setting = Setting("bfloat16", "channels_last")
    stepper = Stepper(model.to(device).train(), recipe, setting, device)
    images = torch.randn(BATCH, 3, 224, 224, device=device)
    labels = torch.randint(1000, (BATCH,), device=device)
    return lambda: stepper.step(images, labels, 0.01)


def training(device: torch.device, rounds: int) -> None:
    """Compare training steps with timm's networks of the same name."""
    import timm

    print(f"| training step, batch {BATCH}, 224x224, bfloat16 | archgen | timm | ratio |")
    print("|---|---|---|---|")
    for ours, theirs in PAIRS.items():
        mine = step_of(archgen.build(archgen.load(ours)), device)
        peer = step_of(timm.create_model(theirs), device)
        times = [(milliseconds(mine), milliseconds(peer)) for _ in range(rounds)]
        ratio = statistics.median(a / b for a, b in times)
        a, b = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| {ours} | {a:.1f} ms | {b:.1f} ms | {ratio:.2f} |")


def latency(device: torch.device, rounds: int) -> None:
    """ParNet-S at batch 1: eager, and replayed as a CUDA graph."""
    model = archgen.build(archgen.load("parnet_s")).to(device).eval()
    image = torch.randn(1, *archgen.load("parnet_s").input, device=device)
    with torch.no_grad():
        eager = [milliseconds(lambda: model(image)) for _ in range(rounds)]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            replayed = model(image)
        graphed = [milliseconds(graph.replay) for _ in range(rounds)]
        graph.replay()
        assert torch.allclose(replayed, model(image), rtol=1e-3, atol=1e-3)
    print(f"ParNet-S, batch 1: {statistics.median(eager):.2f} ms eager,", end=" ")
    print(f"{statistics.median(graphed):.2f} ms as a CUDA graph")


def main() -> None:
    """Measure all and print it, with the device's name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device on this machine")
    device = torch.device("cuda", 0)
    print(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}\n")
    training(device, rounds)
    print()
    latency(device, rounds)


if __name__ == "__main__":
    main()
