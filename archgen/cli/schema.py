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
    """Print the JSON Schema of specs, so that an editor completes and checks them.

    In VS Code's YAML extension a first line of the file names it:
    # yaml-language-server: $schema=archgen.schema.json

    Examples:
        archgen schema > archgen.schema.json
        archgen schema --study > study.schema.json
    """
    use_blocks(blocks)
    if study:
        from archgen.study.schema import study_schema

        print_json(study_schema())
    else:
        from archgen.spec.schema import spec_schema

        print_json(spec_schema())
