"""``archgen search`` and ``archgen best``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archgen.cli.console import note, print_json, print_table, print_text
from archgen.cli.options import (
    Blocks,
    DataRoot,
    Device,
    Download,
    Json,
    Searched,
    complete_study,
    use_blocks,
)
from archgen.cli.progress import candidate_cells, candidate_headings, progress


def search(
    space: Annotated[
        str,
        typer.Option(
            "--space",
            metavar="STUDY",
            help="Name of a shipped study, or path of a study file.",
            autocompletion=complete_study,
            show_default=False,
        ),
    ],
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Candidates to train in all.", show_default="as the study says"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            help="Candidates trained side by side; the CPU's cores are shared out among them.",
            show_default="one a GPU, or one a CPU core",
        ),
    ] = None,
    device: Device = "auto",
    data_root: DataRoot = None,
    download: Download = False,
    hang: Annotated[
        float,
        typer.Option(min=1, help="Give a candidate up that finishes no step for so many seconds."),
    ] = 600,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Search a study: train candidates, keep the best.

    Only what is within the study's limits is trained, each candidate in a process of its own.
    Ctrl-C keeps all results; the same command goes on from there, and candidates in training
    from their checkpoints. Everything lies in studies/runs/NAME.

    Examples:
        archgen search --space pyramid
        archgen search --space my_study.yaml --trials 100 --workers 4
    """
    from archgen.study import load_study
    from archgen.study import search as run

    use_blocks(blocks)
    study = load_study(space, root=data_root)
    with progress(study, json=json) as shown:
        outcome = run(
            study,
            trials=trials,
            workers=workers,
            device=device,
            root=data_root,
            download=download,
            hang=hang,
            blocks=blocks or (),
            progress=shown,
        )
    if json:
        print_json(outcome)
    else:
        print_text(outcome.message)
        if outcome.best:
            print_table(
                candidate_headings(study), candidate_cells(study, outcome.best), elastic=["values"]
            )
        for row in outcome.best:
            if row.test is not None:
                print_text(f"candidate {row.number} on the test split: {row.test:.2f}%")
        if outcome.best:
            print_text(f"archgen best {study.name} shows more; everything is in {outcome.folder}")
    if outcome.ending == "interrupted":
        raise typer.Exit(130)
    if outcome.ending == "failing" or not outcome.best:
        raise typer.Exit(1)


def best(
    study: Searched,
    count: Annotated[
        int | None,
        typer.Option(
            "--count", "-n", min=1, help="How many to show.", show_default="5, or the whole front"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the best one's spec there, as YAML."),
    ] = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Show the best candidates of a search.

    With two scores, those that no other one beats.

    Examples:
        archgen best pyramid
        archgen best pyramid --out best.yaml
        archgen build best.yaml
    """
    from archgen.files import write_whole
    from archgen.study.report import best as best_rows
    from archgen.study.report import best_net, studied
    from archgen.study.storage import runs_folder

    use_blocks(blocks)
    folder = runs_folder(study)
    asked = studied(folder)
    rows = best_rows(folder, count=count or (5 if len(asked.score) == 1 else None))
    if out is not None:
        write_whole(out, best_net(folder).dump())
    if json:
        print_json({"study": asked.name, "folder": folder, "best": rows, "written": out})
        return
    if not rows:
        note("no candidate is complete yet")
        return
    print_table(candidate_headings(asked), candidate_cells(asked, rows), elastic=["values"])
    if out is not None:
        print_text(f"wrote candidate {rows[0].number} to {out}")
