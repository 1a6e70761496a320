"""What a search tells its caller: a `Status` on the way, an `Outcome` at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archgen.study.report import Row

GOES_ON = "the same command goes on from here"
Ending = Literal["complete", "exhausted", "interrupted", "failing"]


@dataclass(frozen=True)
class Status:
    """Where a search stands: what a caller's `progress` gets after each epoch and candidate.

    Args:
        row: The candidate in work or just finished; None at the start.
        running: All candidates in training.
        said: What happened, where it needs a sentence.
        epochs: Epochs that each candidate is trained for.
        trained: Candidates trained so far, in earlier calls too.
        trials: Candidates to train.
        counts: How many rows are in each state.
        best: The best so far: one, or with two scores the Pareto front.
        seconds: Since this call began.
        eta: Seconds that are left, as far as the candidates so far tell.
        notes: What the user should know from the start on, in whole sentences.
    """

    row: Row | None
    running: tuple[Row, ...]
    said: str
    epochs: int
    trained: int
    trials: int
    counts: dict[str, int]
    best: tuple[Row, ...]
    seconds: float
    eta: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a search ended.

    Args:
        name: The study's name.
        folder: Where everything lies.
        ending: Why it ended.
        message: The same in one sentence.
        trained: Candidates trained, in earlier calls too.
        trials: Candidates asked for.
        best: The best: one, or with two scores the Pareto front. The first one's `test` is its
            accuracy on the test split, unless the search was interrupted.
        notes: What the user should know, in whole sentences.
    """

    name: str
    folder: Path
    ending: Ending
    message: str
    trained: int
    trials: int
    best: tuple[Row, ...]
    notes: tuple[str, ...]


Progress = Callable[[Status], None]
