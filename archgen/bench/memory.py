"""Whether a measurement finds room in memory; imports no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path

from archgen.analysis import cost, peak_bytes
from archgen.analysis.memory import VALUE
from archgen.bench.conditions import Conditions, Form
from archgen.errors import ArchError
from archgen.ops import FLOAT
from archgen.spec import Net

MEMORY = Path("/proc/meminfo")
GIB = 2**30


def check_memory(nets: Sequence[Net], forms: Sequence[Form], conditions: Conditions) -> None:
    """Refuse a batch for which the CPU's memory has no room, before anything is built.

    Counted are the weights of each network as built and in each form, the images of each form,
    and the activations of the network that has most: all are there at once, one computes. What
    kernels need inside is not counted, nor is timm's network.

    Raises:
        ArchError: There is less than that.
    """
    free = available_bytes()
    if free is None:
        return
    value = VALUE[conditions.dtype]
    fixed = sum((FLOAT + value * len(forms)) * cost(net).params for net in nets)
    images = sum(value * len(forms) * prod(net.input) for net in nets)
    alive = max(peak_bytes(net) * value // FLOAT for net in nets)
    needed = fixed + conditions.batch * (images + alive)
    if needed <= free:
        return
    fits = max(0, (free - fixed) // (images + alive))
    hint = f"--batch {fits} fits" if fits else "not even one image fits"
    message = f"at least {needed / GIB:,.1f} GiB are needed, {free / GIB:,.1f} GiB are there"
    raise ArchError(nets[-1].name, f"batch {conditions.batch:,}: {message}; {hint}")


def available_bytes() -> int | None:
    """Give the bytes that a process may still take without swapping; None where nobody says."""
    with suppress(OSError, ValueError):
        for line in MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
