"""``archgen calibrate``."""

from __future__ import annotations

from typing import Annotated

import typer

from archgen.cli.console import (
    measuring,
    note,
    print_json,
    print_text,
    threads_said,
    working,
)
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
    $ARCHGEN_CACHE (~/.cache/archgen), for this CPU, number of threads and version of PyTorch.
    Ctrl-C leaves what was there.

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
    with prepared(folder()), use_threads(count), measuring() as report:
        calibration, share = measure(count, report=report)
        path = calibration.save()
    if json:
        print_json({"path": path, "calibration": calibration.model_dump(), "share": share})
    else:
        print_text(f"{calibration.processor}, {threads_said(count)}, torch {calibration.torch}")
        print_text(f"{len(calibration.factors)} kinds of operations measured; wrote {path}")
    if share is not None and share < BUSY:
        note(f"threads waited for a core {1 - share:.0%} of the time: {_disturbed(count)}")


def _disturbed(threads: int) -> str:
    """Say what it does to estimates that others were at work, by the clock that was used."""
    from archgen.bench.clock import by_cpu_time
    from archgen.latency import cores

    if threads > cores():
        return "they are more than cores, and estimates hold for as many as this"
    if by_cpu_time(threads):
        return (
            "others were at work; CPU time was measured, which is longer only by what they do to "
            "caches"
        )
    return "others were at work, and estimates will be too long; calibrate on a quiet machine"
