"""``archgen build``: from spec to module, and whether PyTorch counts the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archgen.cli.console import complain, print_json, print_table, print_text, working
from archgen.cli.options import Blocks, Deploy, Json, Out, Set, Spec, load_net
from archgen.cli.out import outlet
from archgen.cli.show import document, print_stages
from archgen.errors import ArchError

if TYPE_CHECKING:
    from torch import nn

    from archgen.graph import Graph
    from archgen.nn.verify import Verdict
    from archgen.spec import Net

LARGE = {"parameters": 10**9, "MACs": 10**12}
"""More than this is built only with ``--yes``."""


def build(
    spec: Spec,
    out: Out = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Decides the initial weights.")
    ] = 0,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Build it even with more than 10^9 parameters or 10^12 MACs."),
    ] = False,
    deploy: Deploy = False,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Build a PyTorch module and compare what torch counts.

    The weights are initialised as the spec says and the module is run once; exits 1 if torch
    counts other parameters, MACs or shapes than were computed. With --deploy all this is said
    of the folded module, whose outputs are compared with the unfolded one's in float64.

    Examples:
        archgen build dpn131
        archgen build my_net.yaml --out nets
        archgen build resnet50 --set head.classes=10 --seed 7 --out nets
        archgen build repvgg_a0 --deploy --out nets
    """
    net = load_net(spec, set_, blocks)
    if not yes:
        refuse_large(net)
    with outlet(out, net, deploy=deploy):
        with working(f"building {net.name}"), enough_memory(net):
            from archgen.nn import deploy as fold
            from archgen.nn.folding import deploy_form
            from archgen.nn.save import save, save_deployed
            from archgen.nn.verify import verify, verify_deployed

            model, graph, written = make(net, seed), net.graph(), []
            if deploy:
                unfolded, model, graph = model, fold(model), deploy_form(net).graph
                verdict = verify_deployed(model, graph, unfolded)
            else:
                verdict = verify(model, net)
        if out is not None and verdict.agrees:
            written = save_deployed(model, net, out) if deploy else save(model, net, out)
        if json:
            checks = [asdict(check) for check in verdict.checks]
            more = {"agrees": verdict.agrees, "checks": checks, "files": written}
            print_json(document(net, [], graph) | more)
        else:
            _print(net, graph, verdict, written)
        if not verdict.agrees:
            raise typer.Exit(1)


def refuse_large(net: Net) -> None:
    """Refuse a network that a machine may not survive, before PyTorch is imported.

    Raises:
        ArchError: It has more than 10^9 parameters or 10^12 MACs.
    """
    from archgen.analysis import cost

    counts = cost(net)
    for what, count in (("parameters", counts.params), ("MACs", counts.macs)):
        if count > LARGE[what]:
            message = f"{count:,} {what} are more than {LARGE[what]:,}"
            raise ArchError(net.name, f"{message}; only 'archgen build --yes' builds it")


def make(net: Net, seed: int) -> nn.Module:
    """Build a module, initialised from a seed."""
    import torch

    from archgen.nn import build

    torch.manual_seed(seed)
    return build(net)


@contextmanager
def enough_memory(net: Net) -> Iterator[None]:
    """Turn what PyTorch says when it gets no memory into one line."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise ArchError(net.name, "there is not enough memory for it") from None


def _print(net: Net, graph: Graph, verdict: Verdict, written: list[Path]) -> None:
    from archgen.analysis import cost

    print_stages(net, graph)
    cells = [(check.what, check.computed, check.counted) for check in verdict.checks]
    print_text("")
    print_table(["", ">computed", ">counted by torch"], cells)
    print_text("")
    for path in written:
        print_text(f"wrote {path}")
    if graph is not net.graph():
        before, after = cost(net), cost(graph)
        folded = f"params {before.params:,} -> {after.params:,}"
        print_text(f"{folded}, MACs {before.macs:,} -> {after.macs:,}")
    figures = f"{verdict.params:,} parameters, {verdict.macs:,} MACs"
    if verdict.agrees:
        print_text(f"{figures}; torch agrees")
    else:
        wrong = ", ".join(check.what for check in verdict.checks if not check.agrees)
        complain(f"{net.name}: torch counts {figures} and disagrees on {wrong}; nothing is written")
