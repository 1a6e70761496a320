"""``archgen schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from archgen.cli.console import print_json
from archgen.cli.options import Blocks, use_blocks


def schema(
    study: Annotated[bool, typer.Option("--study", help="Of study files, not of specs.")] = False,
    blocks: Blocks = None,
) -> None:
    """Print the JSON Schema of specs, for editors.

    An editor then completes and checks specs. For VS Code's YAML extension, the first line of
    a spec names the schema: "# yaml-language-server: $schema=archgen.schema.json".

    Examples:
        archgen schema > archgen.schema.json
        archgen schema --study > study.schema.json
    """
    from archgen.blocks.outside import load_installed
    from archgen.spec.schema import DRAFT, spec_schema

    load_installed()
    use_blocks(blocks)
    if study:
        from archgen.study import Study

        print_json({"$schema": DRAFT, **Study.model_json_schema()})
    else:
        print_json(spec_schema())
