"""A network's nodes, stages and streams as a graph in Graphviz's or Mermaid's language.

Never a graph of operations: one box a row of `stage_rows`, the boxes of a node in a frame.
"""

from __future__ import annotations

from archgen.ops import size
from archgen.spec import Net
from archgen.view.rows import StageRow, stage_rows
from archgen.view.words import short


def dot(net: Net) -> str:
    """Draw the network in Graphviz's language; the same net gives the same text.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    rows = stage_rows(net)
    lines = [
        f"digraph {_dot(net.name)} {{",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11]',
        f'  "input" [label={_dot(_input(net))}, shape=plaintext]',
    ]
    for number, (node, inside) in enumerate(_frames(rows).items()):
        boxes = [f"  {_dot(row.path)} [label={_dot(_label(row))}]" for row in inside]
        if len(inside) > 1:
            title = f'    label={_dot(node)}; style=rounded; fontname="sans-serif"'
            boxes = [f"  subgraph cluster_{number} {{", title, *(f"  {b}" for b in boxes), "  }"]
        lines += boxes
    for row in rows:
        lines += [f"  {_dot(source)} -> {_dot(row.path)}" for source in row.sources]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(net: Net) -> str:
    """Draw the network as a Mermaid flowchart; the same net gives the same text.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    rows = stage_rows(net)
    ids = {"input": "n0"} | {row.path: f"n{number}" for number, row in enumerate(rows, 1)}
    lines = ["flowchart TD", f"  n0([{_mermaid(_input(net))}])"]
    for number, (node, inside) in enumerate(_frames(rows).items()):
        boxes = [f"  {ids[row.path]}[{_mermaid(_label(row))}]" for row in inside]
        if len(inside) > 1:
            title = f"  subgraph g{number}[{_mermaid(node)}]"
            boxes = [title, *(f"  {box}" for box in boxes), "  end"]
        lines += boxes
    for row in rows:
        lines += [f"  {ids[source]} --> {ids[row.path]}" for source in row.sources]
    return "\n".join(lines) + "\n"


def _frames(rows: list[StageRow]) -> dict[str, list[StageRow]]:
    """Put the rows of each node together."""
    frames: dict[str, list[StageRow]] = {}
    for row in rows:
        frames.setdefault(row.path.partition(".")[0], []).append(row)
    return frames


def _input(net: Net) -> str:
    return f"input\n{size(net.input)}"


def _label(row: StageRow) -> str:
    costs = f"{short(row.params)} params, {short(row.macs)} MACs"
    return "\n".join([row.path, row.block, size(row.shape), costs])


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _mermaid(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in "\n .,_+-" else f"#{ord(c)};" for c in text)
    return '"' + plain.replace("\n", "<br/>") + '"'
