"""How much faster deploy forms are: batch 1, eager, one thread, in turn in one run.

    python benchmarks/deploy.py [--rounds 30]

Printed are the median and the quartiles of the rounds' ratios, the CPU seconds of the unfolded
network (or of timm's, reparametrised) over those of archgen's deploy form. Needs the ``peers``
extra.
"""

from __future__ import annotations

import argparse

import timm
import torch
from speed import Pair, measure
from timm.utils.model import reparameterize_model
from torch import nn

import archgen

AIMS = {"repvgg_a0": 1.25, "parnet_s": 1.2, "resnet50": 1.0}


def pairs() -> list[Pair]:
    """Each deploy form against its training form, and RepVGG's against timm's."""
    found = []
    for name, aim in AIMS.items():
        model = archgen.build(archgen.load(name)).eval()
        found.append(pair(f"{name} / its deploy form", archgen.deploy(model), model, aim))
    ours = archgen.deploy(archgen.build(archgen.load("repvgg_a0")))
    peer = reparameterize_model(timm.create_model("repvgg_a0").eval())
    return [*found, pair("timm's repvgg_a0 / our deploy form", ours, peer, 1.0)]


def pair(name: str, ours: nn.Module, peer: nn.Module, aim: float) -> Pair:
    """Let two modules run the same image."""
    image = torch.randn(1, 3, 224, 224)

    def run(module: nn.Module) -> None:
        with torch.inference_mode():
            module(image)

    return Pair(name, lambda: run(ours), lambda: run(peer), aim)


def main() -> None:
    """Measure all pairs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, median of {rounds} paired rounds\n")
    for each in pairs():
        row = measure(each, rounds)
        low, high = sorted(1 / ratio for ratio in row["quartiles"])
        faster = 1 / row["ratio"]
        verdict = "reached" if faster >= each.aim else "MISSED"
        print(
            f"{each.name:<36} {faster:6.3f} [{low:.3f} to {high:.3f}] "
            f"aim {each.aim:.2f} {verdict}; {row['ours_ms']:.1f} ms"
        )


if __name__ == "__main__":
    main()
