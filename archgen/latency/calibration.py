"""What was measured of a machine, and where it is kept; imports no torch."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

from archgen.errors import ArchError
from archgen.files import prepared, write_whole
from archgen.latency.fit import fitted, seconds
from archgen.latency.work import Work

FORM = 1
"""Of the file; another number wherever `Work` gives other kernels or terms."""
CPU_INFO = Path("/proc/cpuinfo")
Measured: TypeAlias = Iterable[tuple[Work, float]]
"""Works, each with the seconds that it took."""


@dataclass(frozen=True)
class Calibration:
    """How long operations take on a machine.

    Args:
        processor: The CPU's model.
        torch: The version of PyTorch.
        threads: That PyTorch computes with.
        factors: Of each kernel, the seconds that go with each of its terms (`Work`).
        glue: Seconds beside each operation: what Python takes from one to the next.
    """

    processor: str
    torch: str
    threads: int
    factors: dict[str, list[float]]
    glue: float

    @classmethod
    def of(cls, measured: Measured, *, threads: int, glue: float) -> Calibration:
        """Fit all kernels to what was measured on this machine."""
        kernels: dict[str, list[tuple[Work, float]]] = {}
        for work, taken in measured:
            kernels.setdefault(work.kernel, []).append((work, taken))
        factors = {
            kernel: fitted([work.terms for work, _ in pairs], [taken for _, taken in pairs])
            for kernel, pairs in kernels.items()
        }
        return cls(processor(), _torch(), threads, factors, glue)

    def seconds(self, work: Work) -> float:
        """Estimate what an operation takes in a network.

        Raises:
            ArchError: Nothing of its kind was measured.
        """
        if work.kernel not in self.factors:
            raise ArchError(work.kernel, "no such operation was measured by 'archgen calibrate'")
        return self.glue + seconds(self.factors[work.kernel], work.terms)

    def save(self) -> Path:
        """Keep it for this user, in the place of one for the same machine, torch and threads.

        Raises:
            ArchError: It cannot be written.
        """
        path = folder() / _name(self.processor, self.torch, self.threads)
        with prepared(folder()):
            write_whole(path, json.dumps(asdict(self), indent=1))
        return path


def calibrated(threads: int | None = None) -> Calibration | None:
    """Read what was measured on this machine with the PyTorch that is installed.

    Args:
        threads: With so many threads; None for what was measured last.

    Returns:
        None where nothing was, or the file is damaged.
    """
    if not folder().is_dir():
        return None  # nearly always, and it shall cost a command nothing
    name = _name(processor(), _torch(), threads or "*")
    with suppress(OSError, ValueError, TypeError, AttributeError):
        latest = max(folder().glob(name), key=lambda path: path.stat().st_mtime)
        return _checked(Calibration(**json.loads(latest.read_text())))
    return None


def folder() -> Path:
    """Give the folder: $ARCHGEN_CACHE, or archgen in $XDG_CACHE_HOME or ~/.cache."""
    given, around = os.environ.get("ARCHGEN_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    return (Path(around) if around else Path.home() / ".cache") / "archgen"


@lru_cache(maxsize=1)
def processor() -> str:
    """Name the CPU's model."""
    with suppress(OSError):
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _torch() -> str:
    """Give PyTorch's version without importing it."""
    from importlib.metadata import version

    return version("torch")


def _name(model: str, torch: str, threads: int | str) -> str:
    digest = blake2b(f"{FORM} {model} {torch}".encode(), digest_size=6).hexdigest()
    return f"latency-{digest}-{threads}.json"


def _checked(calibration: Calibration) -> Calibration:
    """Raise what Python does where a file holds something else than numbers."""
    sum(sum(factors) for factors in calibration.factors.values())
    return calibration
