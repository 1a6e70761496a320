"""A study on the screen: where searches lie, and one of them as it stands while it runs."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from archgen.report.facts import LISTED, Facts
from archgen.study import Row
from archgen.study.place import known_runs, wished
from archgen.study.report import leaders
from archgen.study.runs import changed, state_of
from archgen.study.storage import CURVE, JOURNAL, LOG, RUNS, trial_folder
from archgen.study.watch import Watch

TAIL = 4000
"""Bytes of a candidate's log that are shown, the last ones."""


def folders(root: Path = RUNS) -> dict[str, Path]:
    """List the folders of searches by name, what was written last first."""
    written = {}
    for journal in root.glob(f"*/{JOURNAL}"):
        with suppress(OSError):  # it was taken away since
            written[journal.parent] = journal.stat().st_mtime
    return {path.name: path for path in sorted(written, key=written.__getitem__, reverse=True)}


def facts_now(watch: Watch) -> Facts:
    """Read a search as it stands, without networks and importances, which take their time.

    Candidates in training have the epochs that they wrote so far.

    Raises:
        ArchError: Nothing was searched there, or what is there is damaged.
    """
    study, folder = watch.study(), watch.folder
    rows = tuple(
        _grown(folder, row, study.watched) if row.state == "running" else row
        for row in watch.rows()
    )
    best = leaders(rows, study.score)[: None if len(study.score) > 1 else LISTED]
    known = known_runs(folder)
    asked = wished(known, study.trials)
    return Facts(
        study=study,
        state=state_of(folder, sum(row.trained for row in rows), asked),
        changed=changed(folder),
        rows=rows,
        best=tuple(best),
        nets={},
        importances={},
        runs=tuple(known),
    )


def running(folder: Path, facts: Facts) -> list[Row]:
    """Give the candidates in training with the epochs that they wrote by now."""
    return [_grown(folder, row, facts.watched) for row in facts.rows if row.state == "running"]


def _grown(folder: Path, row: Row, watched: str) -> Row:
    """Give a candidate in training what its own process wrote; a line may not be whole yet."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        lines = (trial_folder(folder, row.number) / CURVE).read_bytes().split(b"\n")[:-1]
        curve = tuple(float(json.loads(line)[watched]) for line in lines)
        return replace(row, curve=curve, epochs=len(curve))
    return row


def seconds_left(facts: Facts) -> float | None:
    """Estimate how long a running search goes on, by the time that a candidate took so far.

    Returns:
        Seconds; None if it is not running or nothing was trained yet.
    """
    if facts.state != "running" or not facts.trained:
        return None
    left = max(0, facts.trials - facts.trained)
    return facts.seconds / facts.trained * left / workers(facts)


def workers(facts: Facts) -> int:
    """Count the workers that the last call of the search wrote down; 1 if it wrote nothing."""
    said = facts.runs[-1].get("workers") if facts.runs else None
    return said if isinstance(said, int) and said > 0 else 1


def log_of(folder: Path, number: int) -> str:
    """Read the end of what a candidate's process printed; empty if it printed nothing."""
    with suppress(OSError), (trial_folder(folder, number) / LOG).open("rb") as stream:
        end = stream.seek(0, 2)
        stream.seek(max(0, end - TAIL))
        return stream.read(TAIL).decode(errors="replace")
    return ""
