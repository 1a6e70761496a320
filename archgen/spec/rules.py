"""What makes a spec's parts fit together, beyond the types of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archgen.blocks import Block, Branch, Fusion
from archgen.blocks.outside import load_installed
from archgen.errors import unknown
from archgen.joins import SHORTHANDS, Join
from archgen.spec import names
from archgen.spec.parts import Inner, Node

if TYPE_CHECKING:
    from archgen.spec.net import Net


def complaints(net: Net) -> Iterator[tuple[str, str]]:
    """Yield (path, message) of what pydantic cannot see, in the order of the spec."""
    if message := names.complaint(net.name, node=False):
        yield "name", message
    above = ["input"]
    for name, node in net.nodes.items():
        path = f"nodes.{name}"
        if message := names.complaint(name, node=True):
            yield path, message
        yield from _block_complaints(node, path)
        yield from _join_complaints(node, f"{path}.shortcut")
        yield from _source_complaints(net, node, above, f"{path}.from")
        yield from _shape_complaints(node, path)
        above.append(name)
    for output in net.outputs or []:
        if output.split(".")[0] not in net.nodes:
            yield "outputs", unknown("node", output, net.nodes)


def _block_complaints(node: Inner, path: str) -> Iterator[tuple[str, str]]:
    if node.block not in Block.kinds:
        load_installed()
    block = Block.kinds.get(node.block)
    if block is None:
        yield f"{path}.block", unknown("block", node.block, Block.kinds)
        return
    for field in node.fields:
        if field not in block.model_fields:
            what = f"field of block {node.block!r} called"
            keys = [info.alias or key for key, info in type(node).model_fields.items()]
            yield f"{path}.{field}", unknown(what, field, [*block.model_fields, *keys])
    if isinstance(node, Node):
        for key, inner in (("between", node.between), ("down", node.down), ("fuse", node.fuse)):
            if inner is None:
                continue
            yield from _block_complaints(inner, f"{path}.{key}")
            fuses = issubclass(Block.kinds.get(inner.block, Block), Fusion)
            if inner.block in Block.kinds and fuses != (key == "fuse"):
                reads = "several maps" if key == "fuse" else "one map"
                yield (
                    f"{path}.{key}.block",
                    f"block {inner.block!r} cannot be here: {key} reads {reads}",
                )


def _join_complaints(node: Node, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node.shortcut, str):
        if node.shortcut not in SHORTHANDS:
            yield path, unknown("shortcut", node.shortcut, [*SHORTHANDS, "{join: ...}"])
        return
    if "join" not in node.shortcut:
        yield f"{path}.join", "this field is required"
        return
    kind = node.shortcut["join"]
    if not isinstance(kind, str) or kind not in Join.kinds:
        yield f"{path}.join", unknown("join", str(kind), Join.kinds)
        return
    fields = Join.kinds[kind].model_fields
    for field in node.shortcut:
        if field != "join" and field not in fields:
            yield f"{path}.{field}", unknown(f"field of join {kind!r} called", field, fields)


def _source_complaints(
    net: Net, node: Node, above: Sequence[str], path: str
) -> Iterator[tuple[str, str]]:
    for source in node.sources:
        name = source.split(".")[0]
        if name not in above:
            said = f"no node {source!r} before this one"
            if name in net.nodes:
                said = f"a node reads only from nodes above it, not from {source!r}"
            yield path, f"{said}; there are {', '.join(above)}"
    fuses = issubclass(Block.kinds.get(node.block, Block), Fusion)
    if node.streams is None and fuses != (len(node.sources) > 1):
        wanted = "several maps: name them in from" if fuses else "one map"
        yield path, f"block {node.block!r} reads {wanted} (given: {len(node.sources)})"


def _shape_complaints(node: Node, path: str) -> Iterator[tuple[str, str]]:
    stack = node.depth is not None
    branch = issubclass(Block.kinds.get(node.block, Block), Branch)
    if not branch and (node.shortcut != "none" or stack):
        key = "depth" if stack else "shortcut"
        yield f"{path}.{key}", f"block {node.block!r} is no branch: it takes no depth or shortcut"
    if isinstance(node.depth, list) and not 1 <= len(node.depth) <= 64:
        yield f"{path}.depth", "give a number of blocks for each of 1 to 64 stages"
    stages = len(node.depth) if isinstance(node.depth, list) else 0
    if node.between is not None and (stages < 2 or node.streams):
        yield f"{path}.between", "acts between stages: give depth as a list, one entry a stage"
    if node.streams is None:
        for key in ("down", "fuse"):
            if getattr(node, key) is not None:
                yield f"{path}.{key}", "acts only in a node with streams"
        return
    if not stack:
        yield f"{path}.depth", "streams need a depth: one number, or one a stream"
    taps = [source.replace(".", "_") for source in node.sources]
    modules = [tap + behind for tap in taps for behind in ("", "_down", "_fuse")]
    if len(set(modules)) < len(modules):
        yield f"{path}.from", f"two modules would have one name: streams {', '.join(taps)}"
    if node.streams > len(node.sources):
        yield (
            f"{path}.streams",
            f"{node.streams} streams need {node.streams} maps in from, not {len(node.sources)}",
        )
    for key in ("down", "fuse"):
        if node.streams > 1 and getattr(node, key) is None:
            yield f"{path}.{key}", "more than one stream needs it: {block: ...}"
