"""``archgen check``."""

from __future__ import annotations

from typing import Any

import typer

from archgen.cli.console import complain, print_json, print_text
from archgen.cli.options import Blocks, Json, Specs, load_net, use_blocks
from archgen.errors import ArchError


def check(specs: Specs, blocks: Blocks = None, json: Json = False) -> None:
    """Check specs down to every shape, and study files down to both ends of every range.

    Says the first mistake in each file, and exits 1 if there is any.

    Examples:
        archgen check specs/*.yaml
        archgen check studies/*.yaml
        archgen check my_net.yaml --blocks my_blocks.py
    """
    use_blocks(blocks)
    found: list[dict[str, Any]] = []
    for spec in specs:
        try:
            said, counts = _study(spec) if _is_study(spec) else _spec(spec)
        except ArchError as error:
            found.append({"spec": spec, "ok": False, **_parts(error)})
            if not json:
                complain(str(error))
        else:
            found.append({"spec": spec, "ok": True, **counts})
            if not json:
                print_text(f"{spec}: ok, {said}")
    if json:
        print_json(found)
    if not all(entry["ok"] for entry in found):
        raise typer.Exit(1)


def _is_study(spec: str) -> bool:
    """Tell whether a file is a study: it alone says what varies."""
    from archgen import files, yamlfile

    value = yamlfile.read(files.find("specs", spec)).value
    return isinstance(value, dict) and "vary" in value


def _spec(spec: str) -> tuple[str, dict[str, Any]]:
    from archgen.analysis import cost
    from archgen.view import short

    counts = cost(load_net(spec))
    said = f"{short(counts.params)} parameters, {short(counts.macs)} MACs"
    return said, {"params": counts.params, "macs": counts.macs}


def _study(path: str) -> tuple[str, dict[str, Any]]:
    from archgen.study import load_study

    study = load_study(path)
    many = "no end of" if study.size is None else f"{study.size:,}"
    said = f"a study of {study.net.name}: {many} combinations, {study.trials:,} trials"
    return said, {"combinations": study.size, "trials": study.trials}


def _parts(error: ArchError) -> dict[str, Any]:
    return {
        "file": error.file, "line": error.line, "path": error.path, "message": error.message,
    }  # fmt: skip
