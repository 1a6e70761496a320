"""What the estimate of latency is worth: networks of nearly the same MACs, in order of time.

    archgen calibrate --threads 1
    python benchmarks/latency.py [--count 60] [--macs 2.5e8] [--rounds 20]

Random networks of ten families, within 20 % of the same MACs, are measured in turn, in CPU time
on one thread; then Spearman's rank correlation tells how well their order follows from the
estimate, from MACs and from parameters. None of them was measured for the calibration.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, NamedTuple

from candidates import candidates

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@dataclass(frozen=True)
class Candidate:
    """A network: what is counted of it, estimated and measured.

    Args:
        name: Its family and number.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
        estimated: Seconds of a forward pass, as `archgen.latency` says.
        measured: Seconds of a forward pass, the median.
        spread: Of the measured, half of what lies between the quartiles, as a part of it.
    """

    name: str
    params: int
    macs: int
    estimated: float
    measured: float
    spread: float

    @property
    def error(self) -> float:
        """How far the estimate is off, as a part of what was measured."""
        return self.estimated / self.measured - 1


def measured(count: int, macs: float, rounds: int) -> list[Candidate]:
    """Draw networks, estimate and measure them."""
    import torch

    import archgen
    from archgen.bench.timing import measure
    from archgen.latency import calibrated, latency

    torch.set_num_threads(1)
    calibration = calibrated(threads=1)
    if calibration is None:
        raise SystemExit("nothing is calibrated here for 1 thread: archgen calibrate --threads 1")
    nets = candidates(count, macs)
    works = [_forward(archgen.build(net).eval(), torch.randn(1, *net.input)) for net in nets]
    with torch.inference_mode():
        timings = measure(works, rounds=rounds)
    found = []
    for place, net in enumerate(nets):
        counts, taken = archgen.cost(net), timings.cpu(place)
        spread = (taken.high - taken.low) / (2 * taken.median)
        estimate = latency(net, calibration)
        found.append(
            Candidate(net.name, counts.params, counts.macs, estimate, taken.median, spread)
        )
    return found


def _forward(model: Callable[[Any], Any], images: Any) -> Callable[[], Any]:
    return lambda: model(images)


def correlation(found: list[Candidate], figure: str) -> float:
    """Give Spearman's rank correlation of a figure with the measured latency."""
    from scipy.stats import spearmanr

    pairs = [(getattr(each, figure), each.measured) for each in found]
    return float(spearmanr(*zip(*pairs, strict=True)).statistic)


class Errors(NamedTuple):
    """Medians over networks.

    Args:
        absolute: Of how far the estimate is off, in either direction.
        signed: Of the same with its sign: how far all are off together.
        scaled: As `absolute`, of estimates times the one factor that is right in the median.
    """

    absolute: float
    signed: float
    scaled: float


def errors(found: list[Candidate]) -> Errors:
    """Say how far estimates are off, alone and all together."""
    factor = median(each.measured / each.estimated for each in found)
    return Errors(
        median(abs(each.error) for each in found),
        median(each.error for each in found),
        median(abs(factor * each.estimated / each.measured - 1) for each in found),
    )


def main() -> None:
    """Measure and print one row a network, and what comes out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--macs", type=float, default=2.5e8)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()

    found = measured(options.count, options.macs, options.rounds)
    ranks = {name: correlation(found, name) for name in ("estimated", "macs", "params")}
    off = errors(found)
    if options.json:
        rows = [asdict(each) for each in found]
        print(
            json.dumps({"spearman": ranks, "median_error": off._asdict(), "rows": rows}, indent=1)
        )
        return
    for each in sorted(found, key=lambda each: each.measured):
        print(
            f"{each.name:<14} {each.params / 1e6:6.2f} M params {each.macs / 1e6:6.0f} M MACs "
            f"{1e3 * each.measured:6.2f} ms (+-{each.spread:.0%}), "
            f"estimated {1e3 * each.estimated:6.2f} ({each.error:+.0%})"
        )
    print(f"\nSpearman's rank correlation with the measured latency, {len(found)} networks:")
    for name, rank in ranks.items():
        print(f"  {name:<10} {rank:6.3f}")
    print(f"median error of the estimate: {off.absolute:.1%} (aim: below 15 %; correlation 0.8)")
    print(f"  with its sign: {off.signed:+.1%}")
    print(f"  of all estimates times one factor, so that this is 0: {off.scaled:.1%}")


if __name__ == "__main__":
    main()
