"""``archgen diff``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.console import print_json, print_table, print_text
from archgen.cli.options import (
    Batch,
    Blocks,
    Json,
    Spec,
    checked_assignments,
    load_one_of,
    use_blocks,
)

if TYPE_CHECKING:
    from archgen.view import Comparison, FigurePair, StagePair, StageRow


def _changes(option: str) -> Any:
    return typer.Option(
        option,
        metavar="PATH=VALUE",
        help=f"Change a value of {option[-1].upper()} alone. Repeatable.",
        callback=checked_assignments,
        show_default=False,
    )


def diff(
    a: Spec,
    b: Spec,
    set_a: Annotated[list[str] | None, _changes("--set-a")] = None,
    set_b: Annotated[list[str] | None, _changes("--set-b")] = None,
    batch: Batch = 1,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Compare two networks: specs, stages and costs; the ratio is A over B.

    Examples:
        archgen diff dpn98 resnext101_64x4d
        archgen diff dpn131 dpn131 --set-a stages.groups=32
    """
    from archgen.view import compare

    use_blocks(blocks)
    found = compare(load_one_of(a, set_a), load_one_of(b, set_b), batch)
    if json:
        print_json(_document(found))
        return
    if found.same:
        print_text("one network: the same operations, wiring and initialisation\n")
    one, two = found.names
    if one == two:
        one, two = f"{one} (A)", f"{two} (B)"
    rows = [*_spec(found), *_stages(found), *_figures(found)]
    print_table(["", f">{one}", f">{two}", ">A / B", ">change"], rows, elastic=[one, two])


def _document(found: Comparison) -> dict[str, Any]:
    differences = [each._asdict() for each in found.spec]
    figures = [asdict(pair) | {"ratio": pair.ratio} for pair in found.figures]
    return asdict(found) | {"spec": differences, "figures": figures}


def _spec(found: Comparison) -> Iterator[tuple[str, ...]]:
    from archgen.view import value_words

    for path, first, second, same in found.spec:
        yield path, value_words(first), value_words(second), "", "same values" if same else ""
    if not found.spec:
        yield "spec", "", "", "", "no change"
    yield ("",) * 5


def _stages(found: Comparison) -> Iterator[tuple[str, ...]]:
    yield "output, MACs", "", "", "", ""
    for pair in found.stages:
        yield f"  {pair.path}", _stage(pair.first), _stage(pair.second), *_ratio(_macs(pair))
    yield ("",) * 5


def _stage(row: StageRow | None) -> str:
    from archgen.ops import size
    from archgen.view import short

    return f"{size(row.shape)} {short(row.macs):>6}" if row else "-"


def _macs(pair: StagePair) -> FigurePair:
    from archgen.view import FigurePair

    one, two = [row.macs if row else None for row in (pair.first, pair.second)]
    return FigurePair("macs", one, two)


def _figures(found: Comparison) -> Iterator[tuple[str, ...]]:
    from archgen.view import NAMES, exact

    for pair in found.figures:
        values = [exact(pair.what, value) for value in (pair.first, pair.second)]
        yield NAMES[pair.what], *values, *_ratio(pair)


def _ratio(pair: FigurePair) -> tuple[str, str]:
    if pair.ratio is None:
        return "", ""
    return f"{pair.ratio:.3f}", f"{pair.ratio - 1:+.1%}" if pair.ratio != 1 else ""
