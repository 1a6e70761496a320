"""A quick look at a study's room: how many random candidates build and pass its limits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random

from archgen.study.definition import Study, violations
from archgen.study.judge import Judged, judge
from archgen.study.space import values_at

# A smaller share of candidates that pass is worth a warning.
NARROW = 0.02


@dataclass(frozen=True)
class Room:
    """What random candidates of a study said about its limits.

    Args:
        size: Combinations before `keep`; None where there is no end of them.
        tried: Candidates looked at.
        passed: Those that build and pass every limit.
        excluded: Candidates that each limit alone excludes; ``builds`` counts those that do
            not build.
    """

    size: int | None
    tried: int
    passed: int
    excluded: dict[str, int]

    @property
    def share(self) -> float:
        """The part of the candidates that is feasible, 0 to 1."""
        return self.passed / self.tried

    def warnings(self) -> list[str]:
        """What the author of the study should know, in whole sentences; often nothing."""
        said = []
        if self.share < NARROW:
            by = ", ".join(f"{name} excludes {n}" for name, n in self.excluded.items() if n)
            said.append(f"{self.passed} of {self.tried} random candidates are feasible: {by}")
        for name, count in self.excluded.items():
            if count == 0 and name != "builds" and not name.endswith(".equal"):
                said.append(f"keep.{name} excludes none of {self.tried} random candidates")
        return said


def probe(study: Study, *, tries: int = 200, seconds: float = 1.5) -> Room:
    """Cost random candidates of a study, always the same ones.

    Args:
        study: From `load_study`.
        tries: The most candidates.
        seconds: The most time; at least one candidate is tried.
    """
    chance = Random(0)  # noqa: S311 - no secret
    end = time.perf_counter() + seconds
    tried = passed = 0
    excluded = dict.fromkeys(violations(study, {}), 0)
    while tried < tries and (tried == 0 or time.perf_counter() < end):
        seen = draw(study, chance)
        tried += 1
        passed += seen.feasible
        over = [name for name, value in seen.violations.items() if value > 0]
        for name in ["builds"] if seen.net is None else over:
            excluded[name] += 1
    return Room(study.size, tried, passed, excluded)


def draw(study: Study, chance: Random) -> Judged:
    """One random candidate."""
    return judge(study, values_at(study.vary, lambda _: chance.random()))
