"""What two specs say differently, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from pydantic import BaseModel

from archgen.blocks import Block
from archgen.columns import resolve
from archgen.errors import ArchError
from archgen.joins import Join
from archgen.spec.net import Net
from archgen.spec.parts import Inner, Node


class Difference(NamedTuple):
    """A value that is not the same in two specs.

    Args:
        path: Its dotted path, as `Net.get` takes it; ``stages`` alone is a node that only one has.
        first: The first's value: as it is written, or the default; None if it has none.
        second: The second's.
        same: Whether every block gets the same value all the same (``[8, 16]`` and
            ``{kind: geometric, start: 8, ratio: 2}``).
    """

    path: str
    first: Any
    second: Any
    same: bool


class _Value(NamedTuple):
    """A value of a node, and the block or join whose field it is (None: the node's own)."""

    value: Any
    owner: type[BaseModel] | None = None


def differences(first: Net, second: Net) -> list[Difference]:
    """Compare what decides two networks, in the order of their specs; names and papers do not.

    A shortcut counts in its long form, a default as if it were written.

    Args:
        first: A spec.
        second: Another.
    """
    found = []
    ours, theirs = _top(first), _top(second)
    for path in merged([*ours], [*theirs]):
        a, b = ours.get(path), theirs.get(path)
        if a != b:
            found.append(Difference(path, a, b, same=False))
    above = _above(first), _above(second)
    for name in merged([*first.nodes], [*second.nodes]):
        nodes = first.nodes.get(name), second.nodes.get(name)
        if nodes[0] is None or nodes[1] is None:
            a, b = [net.data()["nodes"].get(name) for net in (first, second)]
            found.append(Difference(name, a, b, same=False))
        else:
            sides = (nodes[0], above[0][name]), (nodes[1], above[1][name])
            found += (each._replace(path=f"{name}.{each.path}") for each in _of_node(*sides))
    return found


def merged(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Merge two lists of names into one that keeps the order of both where they agree."""
    names: list[str] = []
    matcher = SequenceMatcher(a=first, b=second, autojunk=False)
    for _, start, end, from_, to in matcher.get_opcodes():
        names += [*first[start:end], *second[from_:to]]
    return [*dict.fromkeys(names)]


def _top(net: Net) -> dict[str, Any]:
    """Give the values outside the nodes, defaults included."""
    init = net.init.model_dump(mode="json")
    last = [*net.nodes][-1]
    return {
        "input": [*net.input],
        **{f"init.{key}": value for key, value in init.items()},
        "output_stride": net.output_stride,
        "outputs": net.outputs or [last],
    }


def _above(net: Net) -> dict[str, str]:
    """Give for each node what stands above it."""
    return dict(zip(net.nodes, ["input", *net.nodes], strict=False))


def _of_node(first: tuple[Node, str], second: tuple[Node, str]) -> Iterator[Difference]:
    """Compare two nodes, each given with what stands above it."""
    ours, theirs = _values(*first), _values(*second)
    depths = [node.depth for node, _ in (first, second)]
    if first[0].from_ is second[0].from_ is None:  # both read what stands above them
        del ours["from"], theirs["from"]
    for path in merged([*ours], [*theirs]):
        a = ours.get(path) or _default(path, ours)
        b = theirs.get(path) or _default(path, theirs)
        if a.value != b.value:
            same = all(_spread(path, a, depth) == _spread(path, b, depth) for depth in depths)
            yield Difference(path, a.value, b.value, same and None not in (a.owner, b.owner))


def _values(node: Node, above: str) -> dict[str, _Value]:
    """Give all that a node says by its path inside the node."""
    found = {"block": _Value(node.block), "from": _Value(node.sources or [above])}
    found |= {key: _Value(getattr(node, key)) for key in ("depth", "streams")}
    block = Block.kinds[node.block]
    found |= {key: _Value(value, block) for key, value in node.fields.items()}
    join = Join.kinds[node.join["join"]]
    found["shortcut.join"] = _Value(join.kind)
    found |= {f"shortcut.{k}": _Value(v, join) for k, v in node.join.items() if k != "join"}
    for key in ("between", "down", "fuse"):
        inner: Inner | None = getattr(node, key)
        if inner is not None:
            owner = Block.kinds[inner.block]
            found[f"{key}.block"] = _Value(inner.block)
            found |= {f"{key}.{k}": _Value(v, owner) for k, v in inner.fields.items()}
    return found


def _default(path: str, values: dict[str, _Value]) -> _Value:
    """Give the default of a field that a node does not mention; None where it has no such field."""
    place, _, key = path.rpartition(".")
    if place == "shortcut":
        owner: type[BaseModel] | None = Join.kinds[values["shortcut.join"].value]
    else:
        kind = values.get(f"{place}.block".lstrip("."))
        owner = Block.kinds[kind.value] if kind else None
    field = owner.model_fields.get(key) if owner else None
    if field is None or field.is_required():
        return _Value(None)
    return _Value(field.default, owner)


def _spread(path: str, value: _Value, depth: Any) -> Any:
    """Give each block its value in stages of some depths; what cannot be spread is like nothing."""
    if depth is None or value.owner is None:
        return value.value
    key = path.rpartition(".")[2]
    owner = value.owner
    opening = owner.opening_fields() if issubclass(owner, Block) else frozenset()
    staged = isinstance(depth, list)
    try:
        return resolve(
            value.value,
            depth if staged else [depth],
            staged=staged,
            opens=key in opening,
            default=owner.model_fields[key].default,
            path=path,
        )
    except ArchError as error:
        return error
