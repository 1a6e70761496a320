"""``archgen list``."""

from __future__ import annotations

from typing import Annotated

import typer

from archgen.cli.console import note, print_json, print_table, print_text
from archgen.cli.options import Json


def library(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="[PATTERN]",
            help="Part of a name, or a pattern such as 'dpn*' or '*_cifar'.",
            show_default=False,
        ),
    ] = "",
    json: Json = False,
) -> None:
    """List the shipped networks and studies, with exact costs.

    Examples:
        archgen list
        archgen list densenet
        archgen list '*_cifar' --json
    """
    from archgen.ops import size
    from archgen.view import short, spec_rows, study_rows

    specs, studies = spec_rows(pattern), study_rows(pattern)
    if json:
        print_json({"specs": specs, "studies": studies})
        return
    if specs:
        cells = [
            (row.name, size(row.input), short(row.params), short(row.macs), row.arxiv, row.title)
            for row in specs
        ]
        headings = ["spec", ">input", ">params", ">MACs", "arXiv", "paper"]
        print_table(headings, cells, elastic=["paper"])
    if specs and studies:
        print_text("")
    if studies:
        studied = [
            (row.name, row.spec, row.trials, row.size or "endless", ", ".join(row.vary))
            for row in studies
        ]
        headings = ["study", "spec", ">trials", ">candidates", "varies"]
        print_table(headings, studied, elastic=["varies"])
    if not specs and not studies:
        note(f"nothing is called like {pattern!r}")
