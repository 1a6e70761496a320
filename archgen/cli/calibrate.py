"""``archgen calibrate``."""

from __future__ import annotations

from typing import Annotated

import typer

from archgen.cli.bench import progress
from archgen.cli.console import print_json, print_text, working
from archgen.cli.options import Json
from archgen.files import prepared
from archgen.latency import folder


def calibrate(
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="That PyTorch computes with.",
            show_default="as many as torch takes",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure what operations take on this CPU, so that 'archgen cost' can estimate latency.

    Takes about a minute, on a machine that does nothing else. What is measured is kept in
    $ARCHGEN_CACHE (~/.cache/archgen), for this CPU, number of threads and version of PyTorch; the
    latest holds. Ctrl-C leaves what was there.

    Examples:
        archgen calibrate
        archgen calibrate --threads 1
    """
    with working("loading PyTorch"):
        import torch

        from archgen.bench.calibrate import calibrate as measure
        from archgen.train.device import use_threads

    count = threads or torch.get_num_threads()
    with prepared(folder()), use_threads(count), progress() as report:
        calibration = measure(count, report=report)
        path = calibration.save()
    if json:
        print_json({"path": path, "calibration": calibration})
        return
    said = "1 thread" if count == 1 else f"{count} threads"
    print_text(f"{calibration.processor}, {said}, torch {calibration.torch}")
    print_text(f"{len(calibration.factors)} kinds of operations measured; wrote {path}")
