"""``archgen fit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.console import note, print_json, print_table, print_text
from archgen.cli.options import Blocks, Json, Set, Spec, load_net
from archgen.errors import ArchError

if TYPE_CHECKING:
    from archgen.inverse import Fit, Point


def fit(
    spec: Spec,
    to: Annotated[
        list[str],
        typer.Option(
            metavar="COST=NUMBER",
            help="What it shall cost: params=1.7e6; also macs, activations, depth, "
            "saved_bytes, peak_bytes, receptive_field.",
            show_default=False,
        ),
    ],
    by: Annotated[
        list[str],
        typer.Option(
            metavar="PATH",
            help="The number to solve for: stages.width.alpha. Repeatable: "
            "several keep their ratios.",
            show_default=False,
        ),
    ],
    from_: Annotated[
        float | None, typer.Option("--from", help="Its lowest value.", show_default=False)
    ] = None,
    upto: Annotated[
        float | None, typer.Option(help="Its highest value.", show_default=False)
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Refuse what is further off: 1%.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the spec there, as YAML.")
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Find the number in a spec with which the network costs what you ask for.

    A whole number stays one (--set PATH=48.0 makes it real). Values that the spec's fields do not
    allow are passed over.

    Examples:
        archgen fit pyramidnet110_a48 --to params=3.8e6 --by stages.width.alpha
        archgen fit resnet50 --to macs=2e9 --by input.1 --by input.2
        archgen fit dpn92 --to saved_bytes=140e6 --by stages.group_width.start --out mine.yaml
    """
    from archgen.files import write_whole
    from archgen.inverse import fit as solve
    from archgen.inverse import percent

    if len(to) > 1:
        raise typer.BadParameter(f"--to: give one cost to reach, not {len(to)}")
    if out is not None and out.suffix not in (".yaml", ".yml"):
        raise ArchError("", "--out writes a spec: a file called .yaml", file=str(out))
    cost, target = _goal(to[0])
    share = None if within is None else percent(within, "--within")
    net = load_net(spec, set_, blocks)
    found = solve(net, cost, target, by, within=share, low=from_, high=upto)
    if out is not None:
        write_whole(out, found.net.dump())
    if json:
        print_json(_document(found, out))
    else:
        _print(found)
        if out is not None:
            print_text(f"wrote {out}")


def _goal(text: str) -> tuple[str, float]:
    cost, _, number = text.partition("=")
    try:
        return cost.strip(), float(number)
    except ValueError:
        message = f"{text!r} is no COST=NUMBER; write params=1.7e6"
        raise ArchError("--to", message) from None


def _document(found: Fit, out: Path | None) -> dict[str, Any]:
    from archgen.analysis import cost

    counts = cost(found.net)
    return {
        "name": counts.name,
        "params": counts.params,
        "macs": counts.macs,
        "depth": counts.depth,
        "cost": found.cost,
        "target": found.target,
        "reached": found.best.cost,
        "off": found.off(found.best),
        "values": found.best.values,
        "below": found.below,
        "above": found.above,
        "monotone": found.monotone,
        "tried": found.tried,
        "spec": found.net.data(),
        "written": out,
    }


def _print(found: Fit) -> None:
    """Print the spec's own values, the nearest on both sides of the target, and what is reached."""
    from archgen.analysis import cost

    notes = {"in the spec": found.start, "below": found.below, "above": found.above}
    points: dict[str, tuple[Point, list[str]]] = {}
    for said, point in (*notes.items(), ("nearest", found.best)):
        if point is not None:
            points.setdefault(str(point), (point, []))[1].append(said)
    cells = [
        (*(f"{value:.12g}" for value in point.values.values()), f"{point.cost:,}",
         f"{found.off(point):+.2%}", ", ".join(said))
        for point, said in points.values()
    ]  # fmt: skip
    headings = [*(f">{path}" for path in found.best.values), f">{found.cost}", ">off", ""]
    print_table(headings, cells)
    print_text("")
    counts = cost(found.net)
    print_text(
        f"{found.best}: {counts.params:,} parameters, {counts.macs:,} MACs, {counts.depth} layers"
    )
    if not found.monotone:
        note(
            f"{found.cost} neither just rises nor just falls with {', '.join(found.best.values)}: "
            f"{found.tried} values were tried, another may be nearer"
        )
