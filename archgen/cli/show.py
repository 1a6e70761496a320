"""``archgen show``: a network as a table, as text that draws it, or as source."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.console import one_line, print_json, print_table, print_text
from archgen.cli.options import Blocks, Json, Set, Spec, load_net

if TYPE_CHECKING:
    from archgen.analysis import Cost
    from archgen.graph import Graph
    from archgen.spec import Net


def show(
    spec: Spec,
    ops: Annotated[bool, typer.Option("--ops", help="One row an operation.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="A graph for Graphviz.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A flowchart for Mermaid.")] = False,
    open_: Annotated[
        str,
        typer.Option(
            "--open", metavar="PATH", help="Opens a stage, stream or unit in --dot or --mermaid."
        ),
    ] = "",
    source: Annotated[bool, typer.Option("--source", help="The PyTorch module that runs.")] = False,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Show a network: one row a stage, with exact costs.

    Examples:
        archgen show dpn131
        archgen show dpn131 --set stages.groups=32 --set stages.group_width=4
        archgen show parnet_s --dot | dot -Tsvg > parnet_s.svg
        archgen show dpn131 --mermaid --open stages.2.5
    """
    asked = {"ops": ops, "dot": dot, "mermaid": mermaid, "source": source}
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) > 1 and not json:
        raise typer.BadParameter(f"give one of --{' and --'.join(chosen)}, or --json for both")
    if open_ and not (dot or mermaid):
        raise typer.BadParameter("--open goes with --dot or --mermaid")
    net = load_net(spec, set_, blocks)
    if json:
        print_json(document(net, chosen, opened=open_))
    elif ops:
        _print_ops(net)
    elif chosen:
        print_text(_text(net, chosen[0], open_))
    else:
        print_stages(net)


def document(
    net: Net, more: list[str], graph: Graph | None = None, *, opened: str = ""
) -> dict[str, Any]:
    """Give all that is shown of a network as plain data.

    Args:
        net: The spec.
        more: What else, as the options are called.
        graph: What a pass made of its graph; by default its graph.
        opened: Path of what diagrams open.
    """
    from archgen.analysis import COUNTED, cost
    from archgen.view import op_rows, stage_rows

    counts = cost(graph or net)
    shown: dict[str, Any] = {key: getattr(counts, key) for key in ("name", *COUNTED)} | {
        "input": list(net.input),
        "spec": net.data(),
        "stages": [asdict(row) for row in stage_rows(net, graph)],
    }
    for name in more:
        shown[name] = op_rows(net) if name == "ops" else _text(net, name, opened)
    return shown


def _text(net: Net, kind: str, opened: str) -> str:
    from archgen import codegen, view

    if kind == "source":
        return codegen.source(net)
    drawn = view.picture(net, opened)
    return view.dot(drawn) if kind == "dot" else view.mermaid(drawn)


def print_stages(net: Net, graph: Graph | None = None) -> None:
    """Print what a network, or what a pass made of its graph, is and one row a stage."""
    from archgen.analysis import cost
    from archgen.ops import size
    from archgen.view import stage_rows

    counts = cost(graph or net)
    print_text(headline(net, counts))
    print_text("")
    cells = [
        (row.path, row.block, size(row.shape), row.stride or "", f"{row.params:,}",
         f"{row.macs:,}", f"{row.share:.1%}")
        for row in stage_rows(net, graph)
    ]  # fmt: skip
    cells.append(("total", "", "", "", f"{counts.params:,}", f"{counts.macs:,}", ""))
    headings = ["path", "block", ">output", ">stride", ">params", ">MACs", ">share"]
    print_table(headings, cells, elastic=["block"])


def headline(net: Net, counts: Cost) -> str:
    """Say in a few lines what a network is, where it comes from and what it costs."""
    from archgen.ops import size

    lines = [counts.name]
    published = []
    if net.paper is not None:
        arxiv = f" (arXiv:{net.paper.arxiv})" if net.paper.arxiv else ""
        lines[0] += f": {net.paper.title}{arxiv}"
        given = net.paper.published
        published += [f"{given.params} parameters"] if given.params else []
        published += [f"{given.macs} MACs"] if given.macs else []
        published += ["of the deploy form"] if given.form == "deploy" else []
    shape = f"input {size(net.input)}, {counts.depth} layers, {counts.activations:,} activations"
    lines.append(shape)
    if published:
        lines.append(f"published: {', '.join(published)}")
    return "\n".join(map(one_line, lines))


def _print_ops(net: Net) -> None:
    from archgen.ops import size
    from archgen.view import op_rows

    cells = [
        (row.path, row.op, " ".join(map(size, row.inputs)), size(row.shape),
         f"{row.params:,}" if row.params else "", f"{row.macs:,}" if row.macs else "")
        for row in op_rows(net)
    ]  # fmt: skip
    headings = ["path", "operation", "inputs", ">output", ">params", ">MACs"]
    print_table(headings, cells, elastic=["operation", "inputs"])
