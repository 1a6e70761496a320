"""A network's picture as a graph in Graphviz's or Mermaid's language."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TypeAlias

from archgen.view.colours import BLUE, GREEN, VERMILLION
from archgen.view.picture import Arrow, Box, Picture
from archgen.view.picture.lanes import LANES, Lane

Link: TypeAlias = Callable[[str], str]
"""Gives the address that opens a path."""
COLOURS: dict[Lane, str] = {"residual": BLUE, "dense": VERMILLION}


def dot(drawn: Picture, *, link: Link | None = None, ink: str = "#000000") -> str:
    """Write a picture in Graphviz's language; the same picture gives the same text.

    Args:
        drawn: The picture.
        link: Gives the address that opens a path; by default boxes are no links.
        ink: Colour of texts and lines as ``#RRGGBB``; the background is transparent.
    """
    laned = _laned(drawn)
    lines = [
        f"digraph {_dot(drawn.name)} {{",
        f'  graph [bgcolor=transparent, fontname="sans-serif", fontsize=10, fontcolor="{ink}", '
        f'color="{ink}80", style=rounded, nodesep=0.2, ranksep=0.3]',
        f'  node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=10, '
        f'fontcolor="{ink}", color="{ink}80", fillcolor=transparent, height=0.3]',
        f'  edge [fontname="sans-serif", fontsize=10, fontcolor="{ink}", color="{ink}", '
        "arrowsize=0.7]",
        *_inside(drawn, "", laned, link),
        *(f"  {_arrow(arrow, laned)}" for arrow in drawn.arrows),
    ]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(drawn: Picture) -> str:
    """Write a picture as a Mermaid flowchart; the same picture gives the same text."""
    ids = {box.key: f"n{number}" for number, box in enumerate(drawn.boxes)}
    lines = ["flowchart TD", *_subgraphs(drawn, "", ids)]
    for arrow in drawn.arrows:
        said = f"|{_mermaid(arrow.label)}|" if arrow.label else ""
        lines.append(f"  {ids[arrow.source]} -->{said} {ids[arrow.target]}")
    return "\n".join(lines) + "\n"


def _inside(drawn: Picture, frame: str, laned: set[str], link: Link | None) -> list[str]:
    """Write the boxes and frames in a frame; boxes that run side by side on one level."""
    held = [box for box in drawn.boxes if box.frame == frame]
    lines = [f"  {_box(box, box.key in laned, link)}" for box in held]
    keys = {box.key for box in held}
    for streams in drawn.beside:
        level = "; ".join(_dot(key) for key in streams if key in keys)
        lines += [f"  {{rank=same; {level}}}"] if level else []
    for inner in (path for path, above in drawn.frames.items() if above == frame):
        lines += [f"  subgraph {_dot(f'cluster_{inner}')} {{", f"    {_frame(drawn, inner, link)}"]
        lines += [f"  {line}" for line in _inside(drawn, inner, laned, link)]
        lines.append("  }")
    return lines


def _frame(drawn: Picture, path: str, link: Link | None) -> str:
    """Title a frame; a click on what is open closes it."""
    said = {"label": path, "labeljust": "l"}
    if link and path in drawn.trail:
        above = drawn.trail[: drawn.trail.index(path)]
        said |= {"URL": link(above[-1] if above else ""), "tooltip": f"close {path}"}
    return "; ".join(f"{key}={_dot(value)}" for key, value in said.items())


def _box(box: Box, laned: bool, link: Link | None) -> str:
    """Write a box: tinted where it holds weights or parts, dashed where several are one."""
    said: dict[str, str] = {}
    if box.opens:
        said |= {"width": "1.8", "color": BLUE}  # of one width, so that lanes are straight
    if len(box.lines) > 1:
        said["fillcolor"] = f"{BLUE}24"
    if box.folded > 1:
        said |= {"style": "rounded,filled,dashed", "fillcolor": "transparent"}
    if link and box.opens:
        said |= {"URL": link(box.opens), "tooltip": f"open {box.opens}"}
    more = "".join(f", {key}={_dot(value)}" for key, value in said.items())
    return f"{_dot(box.key)} [label={_label(box, laned)}{more}]"


def _label(box: Box, laned: bool) -> str:
    """Write a box's lines; of several the first is bold, and all start on the left.

    Browsers set other fonts than Graphviz measured: what it centres, they do not.
    """
    if len(box.lines) == 1:
        return _dot(box.lines[0])
    first, *others = (escape(line) for line in box.lines)
    lines = "".join(f'{line}<br align="left"/>' for line in (f"<b>{first}</b>", *others))
    if not laned:
        return f"<{lines}>"
    gates = {
        side: "".join(f'<td port="{lane}_{side}" height="0"></td>' for lane in LANES)
        for side in ("in", "out")
    }
    return (
        '<<table border="0" cellborder="0" cellspacing="0" cellpadding="0">'
        f'<tr>{gates["in"]}</tr><tr><td colspan="2" balign="left">{lines}</td></tr>'
        f"<tr>{gates['out']}</tr></table>>"
    )


def _laned(drawn: Picture) -> set[str]:
    """Find the parts that lanes go through; they have a gate for each."""
    ends = {end for arrow in drawn.arrows if arrow.lane for end in (arrow.source, arrow.target)}
    return {box.key for box in drawn.boxes if box.opens and box.key in ends}


def _arrow(arrow: Arrow, laned: set[str]) -> str:
    tail = head = ""
    said: dict[str, str] = {}
    if arrow.lane:
        said = {"color": COLOURS[arrow.lane], "penwidth": "2"}
        tail = f":{arrow.lane}_out:s" if arrow.source in laned else ""
        head = f":{arrow.lane}_in:n" if arrow.target in laned else ""
    if arrow.arc:
        said |= {"color": GREEN, "constraint": "false"}
        tail, head = ":se", ":ne"
    if arrow.label:
        said["label"] = f"\N{NO-BREAK SPACE}{arrow.label}"  # not on the line
    ends = f"{_dot(arrow.source)}{tail} -> {_dot(arrow.target)}{head}"
    attributes = ", ".join(f"{key}={_dot(value)}" for key, value in said.items())
    return f"{ends} [{attributes}]" if said else ends


def _subgraphs(drawn: Picture, frame: str, ids: dict[str, str]) -> list[str]:
    """Write the boxes and frames in a frame for Mermaid."""
    lines = []
    for box in drawn.boxes:
        if box.frame == frame:
            label = _mermaid("\n".join(box.lines))
            lines.append(
                f"  {ids[box.key]}" + (f"([{label}])" if box.calls == (0,) else f"[{label}]")
            )
    for number, (path, above) in enumerate(drawn.frames.items()):
        if above == frame:
            lines.append(f"  subgraph g{number}[{_mermaid(path)}]")
            lines += [f"  {line}" for line in _subgraphs(drawn, path, ids)]
            lines.append("  end")
    return lines


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _mermaid(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in "\n .,_+-" else f"#{ord(c)};" for c in text)
    return '"' + plain.replace("\n", "<br/>") + '"'
