"""Plain rows and drawings-as-text of all that is shown; draws nothing and imports no torch.

The command line and the app lay out what these functions give, and compute nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from archgen import files
from archgen.analysis import cost
from archgen.graph import Graph
from archgen.ops import Flatten, Linear, Mean, Op, Shape, size
from archgen.spec import Net, load


@dataclass
class StageRow:
    """A node of the spec; a stage or a stream where the node has several.

    Args:
        path: Its module path (``stem``, ``stages.0``, ``body.stages_1``).
        block: What its units are; several names where they differ.
        units: How many units it has.
        shape: Shape of the map that it gives.
        stride: Input pixels a pixel of that map; 0 behind a mean over all positions.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
        share: Its part of the network's MACs, 0 to 1.
        sources: Paths of the rows (and ``input``) that it reads.
    """

    path: str
    block: str = ""
    units: int = 1
    shape: Shape = ()
    stride: int = 0
    params: int = 0
    macs: int = 0
    share: float = 0.0
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OpRow:
    """One operation.

    Args:
        path: Its module path.
        op: What it is, in words (``conv 3x3 stride=2 padding=1 groups=40``).
        inputs: Shapes of its operands.
        shape: Shape of its result.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
    """

    path: str
    op: str
    inputs: tuple[Shape, ...]
    shape: Shape
    params: int
    macs: int


@dataclass(frozen=True)
class SpecRow:
    """A spec of the library; figures as in `Cost`."""

    name: str
    input: Shape
    params: int
    macs: int
    depth: int
    title: str
    arxiv: str


@dataclass(frozen=True)
class StudyRow:
    """A study of the library.

    Args:
        name: Its name.
        spec: The spec that it varies.
        vary: Dotted paths of what varies.
        size: Combinations before the limits; None where there is no end of them.
        trials: Candidates that it trains.
        score: What is optimised, and which way.
    """

    name: str
    spec: str
    vary: tuple[str, ...]
    size: int | None
    trials: int
    score: dict[str, str]


def stage_rows(net: Net) -> list[StageRow]:
    """Sum the network up: one row a node, stage or stream, in execution order.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net.graph()
    parted = {name for name, node in net.nodes.items() if node.streams or _staged(node.depth)}
    rows: dict[str, StageRow] = {}
    owners = ["input"]
    strides = _strides(graph)
    for index, call in enumerate(graph.calls[1:], 1):
        node, part, *_ = call.name.split(".")
        path = f"{node}.{part}" if node in parted else node
        row = rows.get(path) or rows.setdefault(path, StageRow(path))
        row.shape, row.stride = call.shape, strides[index]
        row.params += call.op.param_count
        row.macs += call.op.macs(call.shape)
        read = {owners[source] for source in call.inputs}
        row.sources += sorted(read - {path} - set(row.sources))
        owners.append(path)
    _name_units(rows, graph.labels)
    total = sum(row.macs for row in rows.values())
    for row in rows.values():
        row.share = row.macs / total if total else 0.0
    return list(rows.values())


def _staged(depth: int | list[int] | None) -> bool:
    return isinstance(depth, list)


def _name_units(rows: dict[str, StageRow], labels: dict[str, str]) -> None:
    """Count each row's units and name their blocks."""
    units: dict[str, list[str]] = {path: [] for path in rows}
    for path, label in labels.items():
        above, _, last = path.rpartition(".")
        if last.isdigit() and above in units:
            units[above].append(label)
    for path, row in rows.items():
        blocks = units[path] or [labels.get(path, path)]
        row.units = len(blocks)
        row.block = ", ".join(dict.fromkeys(blocks))


def _strides(graph: Graph) -> list[int]:
    """For each call, input pixels a pixel of its result; 0 where that has no meaning."""
    strides: list[int] = []
    for call in graph.calls:
        before = strides[call.inputs[0]] if call.inputs else 1
        lost = isinstance(call.op, Mean | Flatten | Linear)
        strides.append(0 if lost else before * getattr(call.op, "stride", 1))
    return strides


def op_rows(net: Net | Graph) -> list[OpRow]:
    """List all operations in execution order.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    return [
        OpRow(
            call.name,
            words(call.op),
            tuple(graph.calls[source].shape for source in call.inputs),
            call.shape,
            call.op.param_count,
            call.op.macs(call.shape),
        )
        for call in graph.calls
    ]


def words(op: Op) -> str:
    """Name an operation and its numbers, but for channels, which the shapes show."""
    said = [type(op).__name__.lower()]
    for each in fields(op):  # type: ignore[arg-type]
        value: Any = getattr(op, each.name)
        if each.name == "kernel":
            said.append(f"{value}x{value}")
        elif each.name == "kind":
            said.append(value)
        elif each.name not in ("inp", "out", "channels", "dims") and value != each.default:
            said.append(f"{each.name}={value}")
    return " ".join(said)


def short(count: float) -> str:
    """Write a count in three digits and a unit: ``79.3M``."""
    for unit, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * factor:
            value = count / factor
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{unit}"
    return f"{count:g}"


def dot(net: Net) -> str:
    """Draw the network's nodes, stages and streams as a graph in Graphviz's language.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    rows = stage_rows(net)
    boxes = {"input": f"input\n{size(net.input)}"} | {row.path: _label(row) for row in rows}
    lines = [
        f"digraph {_dot_text(net.name)} {{",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11]',
        f'  "input" [label={_dot_text(boxes["input"])}, shape=plaintext]',
    ]
    for number, (node, inside) in enumerate(_clusters(rows)):
        boxed = [f"{_dot_text(row.path)} [label={_dot_text(boxes[row.path])}]" for row in inside]
        if len(inside) == 1:
            lines += [f"  {box}" for box in boxed]
        else:
            lines.append(f"  subgraph cluster_{number} {{")
            lines.append(f'    label={_dot_text(node)}; style=rounded; fontname="sans-serif"')
            lines += [f"    {box}" for box in boxed] + ["  }"]
    for row in rows:
        lines += [f"  {_dot_text(source)} -> {_dot_text(row.path)}" for source in row.sources]
    return "\n".join(lines) + "\n}\n"


def mermaid(net: Net) -> str:
    """Draw the network's nodes, stages and streams as a Mermaid flowchart.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    rows = stage_rows(net)
    ids = {"input": "n0"} | {row.path: f"n{number}" for number, row in enumerate(rows, 1)}
    source = _mermaid_text(f"input\n{size(net.input)}")
    lines = ["flowchart TD", f"  n0([{source}])"]
    for number, (node, inside) in enumerate(_clusters(rows)):
        boxed = [f"{ids[row.path]}[{_mermaid_text(_label(row))}]" for row in inside]
        if len(inside) == 1:
            lines += [f"  {box}" for box in boxed]
        else:
            lines.append(f"  subgraph g{number}[{_mermaid_text(node)}]")
            lines += [f"    {box}" for box in boxed] + ["  end"]
    for row in rows:
        lines += [f"  {ids[source]} --> {ids[row.path]}" for source in row.sources]
    return "\n".join(lines) + "\n"


def _clusters(rows: list[StageRow]) -> Iterator[tuple[str, list[StageRow]]]:
    """Yield each node with its rows."""
    nodes: dict[str, list[StageRow]] = {}
    for row in rows:
        nodes.setdefault(row.path.partition(".")[0], []).append(row)
    yield from nodes.items()


def _label(row: StageRow) -> str:
    many = f"{row.units} x " if row.units > 1 else ""
    return (
        f"{row.path}\n{many}{row.block}\n{size(row.shape)}\n"
        f"{short(row.params)} params, {short(row.macs)} MACs"
    )


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _mermaid_text(text: str) -> str:
    plain = "".join(c if c.isalnum() or c in " \n.,_()-" else f"#{ord(c)};" for c in text)
    return '"' + plain.replace("\n", "<br/>") + '"'


def spec_rows(pattern: str = "") -> list[SpecRow]:
    """List the specs of the library with their costs.

    Args:
        pattern: Part of a name, or a pattern with ``*`` and ``?``.

    Raises:
        ArchError: A spec of the library is damaged.
    """
    rows = []
    for name in _matching(files.names("specs"), pattern):
        net = load(files.library("specs") / f"{name}.yaml")
        counts = cost(net)
        title, arxiv = (net.paper.title, net.paper.arxiv or "") if net.paper else ("", "")
        rows.append(
            SpecRow(name, net.input, counts.params, counts.macs, counts.depth, title, arxiv)
        )
    return rows


def study_rows(pattern: str = "") -> list[StudyRow]:
    """List the studies of the library; `pattern` as in `spec_rows`.

    Raises:
        ArchError: A study of the library is damaged.
    """
    from archgen.study.space import load_study

    rows = []
    for name in _matching(files.names("studies"), pattern):
        study = load_study(name)
        row = StudyRow(
            name, study.spec, tuple(study.vary), study.size, study.trials, dict(study.score)
        )
        rows.append(row)
    return rows


def _matching(names: list[str], pattern: str) -> list[str]:
    """Give the names that match, ordered as people count (``resnet18`` before ``resnet101``)."""
    wild = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    return sorted((name for name in names if fnmatchcase(name, wild)), key=_counting)


def _counting(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", name)
    ]
