"""Candidates that cost the same: a number of each is solved for before it is judged. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archgen.inverse import nearest
from archgen.study.definition import Study


def solve(study: Study, values: Mapping[str, Any]) -> dict[str, Any]:
    """Solve for the number with which a candidate comes nearest to what the study asks for.

    How near is for `violations` to judge. The same candidate always gets the same number.

    Args:
        study: Its `keep` is asked.
        values: The candidate's values by path, or a part of them.

    Returns:
        That number by path; nothing where the study bounds costs only.

    Raises:
        ArchError: The spec refuses a value, the candidate has no such number, or none builds.
    """
    for name, limit in study.keep.items():
        if limit.equal is not None and limit.by is not None:
            return {**nearest(study.net.set(values), name, limit.equal, [limit.by]).best.values}
    return {}
