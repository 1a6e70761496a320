"""Which CPU this is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
DETAILS = ("cpu family", "model", "stepping", "CPU implementer", "CPU variant", "CPU part")
"""What tells CPUs of one name apart: that of a virtual machine may be no more than a brand."""


@lru_cache(maxsize=1)
def processor() -> str:
    """Name the CPU's model, with what tells it from others of that name."""
    found = _described()
    name = found.get("model name") or platform.processor() or platform.machine()
    details = ", ".join(f"{key} {found[key]}" for key in DETAILS if key in found)
    return f"{name} ({details})" if details else name


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _described() -> dict[str, str]:
    """Read what Linux says of the first core; nothing elsewhere."""
    with suppress(OSError):
        first, _, _ = CPU_INFO.read_text().partition("\n\n")
        pairs = (line.partition(":") for line in first.splitlines())
        return {key.strip(): value.strip() for key, _, value in pairs}
    return {}
