"""What a search and the processes that train for it say to each other. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archgen.train.datasets import Size, Wanted
from archgen.train.recipe import Recipe


@dataclass(frozen=True)
class Job:
    """What a process is started for.

    Args:
        home: The study's folder.
        recipe: With everything decided: neither precision nor memory format is ``auto``.
        device: Where it runs, as `torch.device` reads it.
        threads: Threads on the CPU.
        root: The folder of data sets.
        download: Whether missing data may be fetched.
        blocks: Python files that define more blocks.
        number: The candidate; its spec lies in its folder.
    """

    home: Path
    recipe: Recipe
    device: str
    threads: int
    root: Path | None = None
    download: bool = False
    blocks: tuple[Path, ...] = ()
    number: int = -1

    def data(self, size: Size) -> Wanted:
        """What is to be loaded for a network that takes ``size``."""
        return Wanted(self.recipe.data, size, str(self.root) if self.root else None, self.download)


@dataclass(frozen=True)
class Alive:
    """A sign of life, at most one a second."""


@dataclass(frozen=True)
class GoingOn:
    """Training begins behind these epochs: none, or those of the candidate's checkpoint.

    The process waits, as behind each epoch.
    """

    curve: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Grown:
    """An epoch is over, given as a mapping. The process waits: true to go on, false to give up."""

    epoch: dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """Training is over. The process waits: true to keep the weights, false to drop them."""

    state: Literal["finished", "diverged", "memory", "pruned"]
    reason: str = ""


@dataclass(frozen=True)
class Done:
    """All is written. Carries what a call asked for."""

    value: Any = None


@dataclass(frozen=True)
class Failed:
    """An error of this one job.

    Args:
        reason: One line.
        everywhere: Whether the next job would fail as well: the disk is full, data is missing.
    """

    reason: str
    everywhere: bool = False


Message = Alive | GoingOn | Grown | Trained | Done | Failed
