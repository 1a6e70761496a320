"""``archgen studies``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archgen.cli.console import note, print_json, print_table
from archgen.cli.options import Blocks, Json, use_blocks
from archgen.errors import ArchError

if TYPE_CHECKING:
    from archgen.study.runs import Run


def studies(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="Where searches left their folders.",
            show_default="studies/runs",
        ),
    ] = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """List the searches on this machine: how far they are, and their best.

    Examples:
        archgen studies
        archgen studies /data/runs --json
    """
    from archgen.study.runs import runs
    from archgen.study.storage import RUNS

    use_blocks(blocks)
    if folder is not None and not folder.is_dir():
        raise ArchError("", "there is no such folder", file=str(folder))
    found = runs(folder or RUNS)
    if json:
        print_json([_document(run) for run in found])
        return
    if not found:
        note(f"nothing was searched in {folder or RUNS} yet; archgen search --space pyramid begins")
        return
    headings = ["study", "state", ">trained", "best", "last change"]
    cells = [
        (run.name, run.state, _trained(run), _best(run), f"{run.changed:%Y-%m-%d %H:%M}")
        for run in found
    ]
    print_table(headings, cells, elastic=["best"])


def _document(run: Run) -> dict[str, object]:
    return {
        "name": run.name,
        "folder": run.folder,
        "state": run.state,
        "trained": run.trained,
        "trials": run.trials,
        "score": run.score,
        "best": [{"number": row.number, "scores": row.scores} for row in run.best],
        "changed": run.changed.isoformat(),
        "problem": run.problem,
    }


def _trained(run: Run) -> str:
    return f"{run.trained} of {run.trials}" if run.trials else ""


def _best(run: Run) -> str:
    from archgen.view import figure

    if run.problem:
        return run.problem
    if not run.best:
        return "none yet"
    first = run.best[0]
    said = ", ".join(f"{name} {figure(name, first.scores[name])}" for name in run.score)
    more = f", {len(run.best)} on the front" if len(run.score) > 1 else ""
    return f"{said} (candidate {first.number}{more})"
