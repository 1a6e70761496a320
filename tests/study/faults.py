"""A block file for `--blocks`: candidates go wrong in training, by the width of their `trouble`.

The environment's FAULTS maps widths to faults: ``{"5": "hang"}``. Only processes that train go
wrong; the fault comes after the first epoch, and those called ``once`` only the first time.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

from archgen.blocks.base import Narrow
from archgen.graph import Map

STEPS = 5
"""Losses of an epoch: four steps and the validation split."""


class Trouble(Narrow, kind="trouble"):
    """A 3x3 convolution and norm."""

    def build(self, x: Map, out: int) -> Map:
        """As the base class says."""
        if multiprocessing.parent_process() is not None:
            arm(json.loads(os.environ.get("FAULTS", "{}")).get(str(out), "none"))
        return x.conv("conv", out, 3).norm("norm").act()


def arm(fault: str) -> None:
    """Let the loss function bring the fault; each call takes a moment, so that epochs last."""
    from torch.nn import functional

    honest = functional.cross_entropy
    calls = 0

    def loss(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        time.sleep(0.02)
        value = honest(*args, **kwargs)
        return happen(fault, value) if calls > 2 * STEPS else value

    if getattr(honest, "armed", False):  # the source is lowered more than once
        return
    loss.armed = True  # type: ignore[attr-defined]
    functional.cross_entropy = loss


def happen(fault: str, value: object) -> object:
    """Go wrong."""
    import torch

    kind, _, once = fault.partition(" ")
    if once:
        marker = Path(f"fault-{kind}")
        if marker.exists():
            return value
        marker.touch()
    if kind == "hang":
        time.sleep(3600)
    elif kind == "raise":
        raise RuntimeError("out of luck\nwith details")
    elif kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "exit":
        os._exit(3)
    elif kind == "nan":
        return value * torch.nan  # type: ignore[operator]
    elif kind == "memory":
        torch.empty(2**50)
    return value
