"""What was measured of a machine, and where it is kept; imports no torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, NonNegativeFloat, PositiveInt

from archgen.errors import ArchError
from archgen.files import prepared, write_whole
from archgen.latency.cpu import cores, processor
from archgen.latency.fit import fitted, seconds
from archgen.latency.work import MODEL, Work, terms_of

Measured: TypeAlias = Iterable[tuple[Work, float]]
"""Works, each with the seconds that it took."""
Factors: TypeAlias = dict[str, NonNegativeFloat]
"""Seconds that go with a unit of each term, by its name."""


def _complete(factors: dict[str, Factors]) -> dict[str, Factors]:
    for kernel, each in factors.items():
        if tuple(each) != terms_of(kernel):
            raise ValueError(f"{kernel}: the terms are {', '.join(terms_of(kernel))}")
    return factors


class Calibration(BaseModel):
    """How long operations take on a machine.

    Attributes:
        processor: The CPU's model.
        cores: Of it, that the process could use.
        torch: The version of PyTorch.
        threads: That PyTorch computes with.
        factors: Of each kernel, one for each of its terms (`terms_of`).
        glue: Seconds beside each operation: what Python takes from one to the next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    processor: str
    cores: PositiveInt
    torch: str
    threads: PositiveInt
    factors: Annotated[dict[str, Factors], AfterValidator(_complete)]
    glue: NonNegativeFloat

    @classmethod
    def of(cls, measured: Measured, *, threads: int, glue: float) -> Calibration:
        """Fit all kernels to what was measured on this machine."""
        kernels: dict[str, list[tuple[Work, float]]] = {}
        for work, taken in measured:
            kernels.setdefault(work.kernel, []).append((work, taken))
        factors = {}
        for kernel, pairs in kernels.items():
            found = fitted([work.terms for work, _ in pairs], [taken for _, taken in pairs])
            factors[kernel] = dict(zip(terms_of(kernel), found, strict=True))
        return cls(
            processor=processor(), cores=cores(), torch=pytorch(), threads=threads, factors=factors,
            glue=glue,
        )  # fmt: skip

    def seconds(self, work: Work) -> float:
        """Estimate what an operation takes in a network.

        Raises:
            ArchError: Nothing of its kind was measured.
        """
        if work.kernel not in self.factors:
            raise ArchError(work.kernel, "no such operation was measured by 'archgen calibrate'")
        return self.glue + seconds([*self.factors[work.kernel].values()], work.terms)

    @property
    def name(self) -> str:
        """The file's: of machine, PyTorch, threads, and what terms mean."""
        return _name(f"{self.processor} {self.cores} {self.torch}", self.threads)

    def save(self) -> Path:
        """Keep it for this user, in the place of one for the same machine, torch and threads.

        Raises:
            ArchError: It cannot be written.
        """
        path = folder() / self.name
        with prepared(folder()):
            write_whole(path, self.model_dump_json(indent=1))
        return path


def calibrated(
    threads: int | None = None, *, damaged: Callable[[Path], None] = lambda path: None
) -> Calibration | None:
    """Read what was measured on this machine with the PyTorch that is installed.

    Args:
        threads: With so many threads; None for most of those that it was measured with.
        damaged: Called with each file that should hold, and cannot be read.

    Returns:
        None where nothing was, or no file can be read.
    """
    try:
        if not folder().is_dir():
            return None  # nearly always, and it shall cost a command nothing
        here = f"{processor()} {cores()} {pytorch()}"
        paths = sorted(folder().glob(_name(here, threads or "*")), key=_threads, reverse=True)
    except (OSError, ValueError, ArchError):
        return None  # an estimate is an extra: what goes wrong with it stops nobody
    for path in paths:
        found = _read(path)
        if found is not None:
            return found
        damaged(path)
    return None


def _read(path: Path) -> Calibration | None:
    """Read a file; None where it does not hold what its name says."""
    try:
        if path.is_file():
            found = Calibration.model_validate_json(path.read_bytes())
            return found if found.name == path.name else None
    except (OSError, ValueError):
        pass
    return None


def folder() -> Path:
    """Give the folder: $ARCHGEN_CACHE, or archgen in $XDG_CACHE_HOME or ~/.cache.

    Raises:
        ArchError: None of these is set, and there is no home folder.
    """
    given, around = os.environ.get("ARCHGEN_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    try:
        return (Path(around) if around else Path.home() / ".cache") / "archgen"
    except RuntimeError:
        raise ArchError("ARCHGEN_CACHE", "not set, and there is no home folder") from None


def pytorch() -> str:
    """Give PyTorch's version without importing it.

    Raises:
        ArchError: It is not installed, or its metadata is not there.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torch")
    except PackageNotFoundError:
        raise ArchError("torch", "no package of that name is installed (no metadata)") from None


def _name(here: str, threads: int | str) -> str:
    digest = blake2b(f"{MODEL} {here}".encode(), digest_size=6).hexdigest()
    return f"latency-{digest}-{threads}.json"


def _threads(path: Path) -> int:
    said = path.stem.rpartition("-")[2]
    return int(said) if said.isdecimal() else 0
