"""``archgen calibrate``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from archgen.cli.bench import progress
from archgen.cli.console import note, print_json, print_text, working
from archgen.cli.options import Json
from archgen.files import prepared


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
        from archgen.bench.run import BUSY
        from archgen.latency import folder
        from archgen.train.device import use_threads

    count = threads or torch.get_num_threads()
    begin = time.perf_counter(), time.process_time()
    with prepared(folder()), use_threads(count), progress() as report:
        calibration = measure(count, report=report)
        path = calibration.save()
    share = (time.process_time() - begin[1]) / (time.perf_counter() - begin[0])
    if json:
        print_json({"path": path, "calibration": calibration})
    else:
        said = "1 thread" if count == 1 else f"{count} threads"
        print_text(f"{calibration.processor}, {said}, torch {calibration.torch}")
        print_text(f"{len(calibration.factors)} kinds of operations measured; wrote {path}")
    if share < BUSY:
        note(
            f"this process had {share:.0%} of a core: others were at work, and estimates will be "
            "too long; calibrate again on a quiet machine"
        )
