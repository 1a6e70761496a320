"""Two networks side by side: what their specs say differently and what that does, as rows."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.analysis import Cost, cost
from archgen.spec import Difference, Net, differences, merged
from archgen.view.rows import StageRow, stage_rows

FIGURES = (
    "params",
    "macs",
    "activations",
    "depth",
    "receptive_field",
    "saved_bytes",
    "peak_bytes",
)
"""What is compared of two networks, as `Cost` calls it."""


@dataclass(frozen=True)
class StagePair:
    """A row of `stage_rows` of each network; None for the one that has none at this path."""

    path: str
    first: StageRow | None
    second: StageRow | None


@dataclass(frozen=True)
class FigurePair:
    """A figure of both networks.

    Args:
        what: Its name, as `Cost` calls it.
        first: The first's; None where there is no such number.
        second: The second's.
    """

    what: str
    first: int | None
    second: int | None

    @property
    def ratio(self) -> float | None:
        """The first's over the second's; None without both, or over nothing."""
        return self.first / self.second if self.first is not None and self.second else None


@dataclass(frozen=True)
class Comparison:
    """Two networks side by side.

    Args:
        names: Their names.
        batch: Images in a batch, for what is in bytes.
        same: Whether they are one network: the same operations, wiring and initialisation.
        spec: What their specs say differently.
        stages: Their stages, matched by path.
        figures: What they cost.
    """

    names: tuple[str, str]
    batch: int
    same: bool
    spec: tuple[Difference, ...]
    stages: tuple[StagePair, ...]
    figures: tuple[FigurePair, ...]


def compare(first: Net, second: Net, batch: int = 1) -> Comparison:
    """Compare two networks.

    Args:
        first: A spec.
        second: Another.
        batch: Images in a batch, for what is in bytes.

    Raises:
        ArchError: A spec cannot be lowered.
    """
    ours, theirs = [{row.path: row for row in stage_rows(net)} for net in (first, second)]
    costs = cost(first, batch), cost(second, batch)
    return Comparison(
        names=(first.name, second.name),
        batch=batch,
        same=first.digest() == second.digest(),
        spec=tuple(differences(first, second)),
        stages=tuple(
            StagePair(path, ours.get(path), theirs.get(path)) for path in merged([*ours], [*theirs])
        ),
        figures=figure_pairs(*costs),
    )


def figure_pairs(first: Cost, second: Cost) -> tuple[FigurePair, ...]:
    """Pair all figures of two networks."""
    return tuple(FigurePair(what, getattr(first, what), getattr(second, what)) for what in FIGURES)
