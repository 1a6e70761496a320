"""``archgen check``."""

from __future__ import annotations

from typing import Any

import typer

from archgen.cli.console import complain, print_json, print_text
from archgen.cli.options import Blocks, Json, Specs, load_net, use_blocks
from archgen.errors import ArchError


def check(specs: Specs, blocks: Blocks = None, json: Json = False) -> None:
    """Check specs down to every shape.

    Says the first mistake in each spec, and exits 1 if there is any.

    Examples:
        archgen check specs/*.yaml
        archgen check my_net.yaml --blocks my_blocks.py
    """
    from archgen.analysis import cost
    from archgen.view import short

    use_blocks(blocks)
    found: list[dict[str, Any]] = []
    for spec in specs:
        try:
            counts = cost(load_net(spec))
        except ArchError as error:
            found.append({"spec": spec, "ok": False, **_parts(error)})
            if not json:
                complain(str(error))
        else:
            found.append({"spec": spec, "ok": True, "params": counts.params, "macs": counts.macs})
            if not json:
                print_text(
                    f"{spec}: ok, {short(counts.params)} parameters, {short(counts.macs)} MACs"
                )
    if json:
        print_json(found)
    if not all(entry["ok"] for entry in found):
        raise typer.Exit(1)


def _parts(error: ArchError) -> dict[str, Any]:
    return {
        "file": error.file, "line": error.line, "path": error.path, "message": error.message,
    }  # fmt: skip
