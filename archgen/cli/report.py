"""``archgen report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archgen.cli.console import print_json, print_text, working
from archgen.cli.options import Blocks, Json, Searched, use_blocks
from archgen.errors import ArchError


def report(
    study: Searched,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Where it goes.", show_default="report.html in the folder"
        ),
    ] = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Write a search as one HTML file, with a Markdown summary beside it.

    The file needs no network and no other file. A search may be running meanwhile.

    Examples:
        archgen report pyramid
        archgen report pyramid --out pyramid.html
    """
    from archgen.files import write_whole
    from archgen.report import facts_of, page, summary
    from archgen.study.storage import runs_folder

    use_blocks(blocks)
    folder = runs_folder(study)
    target = out or folder / "report.html"
    if target.suffix not in (".html", ".htm"):
        raise ArchError("", "the report is HTML: give a file that ends in .html", file=str(target))
    with working(f"reading {folder}"):
        facts = facts_of(folder)
        files = {target: page(facts), target.with_suffix(".md"): summary(facts)}
    for path, content in files.items():
        write_whole(path, content)
    if json:
        print_json({"study": facts.study.name, "folder": folder, "files": list(files)})
        return
    for path in files:
        print_text(f"wrote {path}")
