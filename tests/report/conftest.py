"""A small study and rows made by hand; a report needs no training to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import digits_search
import pytest

from archgen.report import Facts
from archgen.report.facts import gather
from archgen.study import Row, Study, load_study

STUDY = digits_search.STUDY.replace("to: 9", "to: 40").replace("max: 170", "max: 500")
WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
Make = Callable[..., Facts]


@pytest.fixture
def study(tmp_path: Path) -> Callable[[str], Study]:
    """Load the tiny study, its text changed."""

    def loaded(text: str = STUDY) -> Study:
        (tmp_path / "small.yaml").write_text(digits_search.SPEC)
        (tmp_path / "tiny.yaml").write_text(text)
        return load_study(tmp_path / "tiny.yaml")

    return loaded


@pytest.fixture
def make(study: Callable[[str], Study]) -> Make:
    """Give the facts of a study and some rows."""

    def made(rows: list[Row], text: str = STUDY) -> Facts:
        return gather(study(text), rows, "stopped", WHEN)

    return made


def row(number: int, top1: float | None = None, state: Any = None, **more: Any) -> Row:
    """Make a candidate: complete where it has a score."""
    width = 2 + number % 39
    told: dict[str, Any] = {
        "vary": {"stem.width": width, "stem.kernel": 1 + 2 * (number % 2)},
        "costs": {"params": 30 * width, "macs": 900 * width, "depth": 2, "activations": 9},
        "digest": f"d{number}",
    }
    if top1 is not None:
        curve = (top1 / 2, top1)
        told |= {"top1": top1, "loss": 1.0, "epochs": 2, "curve": curve, "seconds": 1.5}
    state = state or ("complete" if top1 is not None else "infeasible")
    if state == "complete":
        told["scores"] = {"top1": top1}
    return Row(number, state, **told | more)


def many(count: int) -> list[Row]:
    """Make complete candidates: the wider the better, and the kernel does not matter."""
    return [row(number, 60 + 0.9 * (number % 39)) for number in range(count)]
