"""A proposed candidate judged before anything is trained: costs, digest, limits. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from archgen.analysis import cost
from archgen.errors import ArchError
from archgen.spec import Net
from archgen.study.definition import Study, candidate, violations
from archgen.study.report import Row
from archgen.study.solve import solve


@dataclass(frozen=True)
class Judged:
    """What can be said of a candidate without training it.

    Args:
        vary: Dotted path to value, for all that varies in it.
        violations: How far it is over each limit, see `space.violations`.
        solved: Dotted path to the number that was solved for, if one was.
        net: The candidate; None if it does not build or does not fit the data.
        costs: Exact costs by name; empty if it does not build.
        digest: Equal for equal networks; empty if it does not build.
        error: Why it does not build.
    """

    vary: dict[str, Any]
    violations: dict[str, float]
    solved: dict[str, Any] = field(default_factory=dict)
    net: Net | None = None
    costs: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    error: str = ""

    @property
    def feasible(self) -> bool:
        """Whether it builds and keeps every limit."""
        return all(value <= 0 for value in self.violations.values())

    @property
    def reason(self) -> str:
        """Why it is not feasible."""
        over = (f"{name} by {value:.0%}" for name, value in self.violations.items() if value > 0)
        return self.error or f"beyond {', '.join(over)}"


def judge(study: Study, vary: dict[str, Any]) -> Judged:
    """Build a candidate's graph, cost it and compare it with the limits; takes milliseconds."""
    try:
        solved = solve(study, vary)
        net = candidate(study, {**vary, **solved})
        paid = cost(net)
        digest = net.digest()
    except ArchError as error:
        return Judged(vary, violations(study, {}), error=str(error))
    costs = {name: getattr(paid, name) for name in study.counted}
    return Judged(vary, violations(study, costs), solved, net, costs, digest)


def row_of(judged: Judged, number: int, rows: Iterable[Row]) -> Row:
    """A judged candidate as a row: running if it is to be trained, else infeasible or duplicate.

    Args:
        judged: The candidate.
        number: Its number.
        rows: All earlier ones, those in training included.
    """
    row = Row(number, "running", judged.vary, judged.costs, judged.digest, solved=judged.solved)
    if not judged.feasible:
        return replace(row, state="infeasible", reason=judged.reason)
    for known in rows:
        if known.digest == judged.digest and is_taken(known):
            if known.trained:
                known = replace(known, vary=judged.vary, solved=judged.solved)
                row = replace(known, number=number, seconds=0.0, test=None)
            return replace(row, state="duplicate", reason=f"the same network as {known.number}")
    return row


def is_taken(row: Row) -> bool:
    """Whether its network shall not be trained again.

    A failed one would fail again.
    """
    return row.state not in ("infeasible", "duplicate")
