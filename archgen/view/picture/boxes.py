"""The boxes of a diagram and the frames around them: what is open, and what is folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archgen.graph import Call
from archgen.ops import Slice, size
from archgen.regions import Region
from archgen.view.picture.fold import around, folded
from archgen.view.picture.parts import Member, Parts, calls
from archgen.view.words import op_words, short

MOST_ROWS, MOST_UNITS, MOST_CALLS = 40, 8, 40
"""Most boxes of a network, of a stage, and of a unit; in each, more are folded."""


@dataclass(frozen=True)
class Box:
    """Calls that are drawn as one.

    Args:
        key: Its module path; where several parts are folded, ``stages.2.3 to 26``.
        lines: What stands in it, its name or operation first.
        frame: Path of the frame that it stands in; "" outside of all.
        opens: Path to open for what is inside; "" where nothing is.
        folded: Of how many parts it is the picture.
        calls: Positions of its calls.
        dilations: Dilations in it above 1, that `lines` do not say.
    """

    key: str
    lines: tuple[str, ...]
    frame: str
    opens: str
    folded: int
    calls: tuple[int, ...]
    dilations: tuple[int, ...] = ()


class Drawn(NamedTuple):
    """What is drawn.

    Args:
        boxes: In execution order; the first is the input.
        frames: Path of each frame -> path of the one around it, which comes before it; or "".
    """

    boxes: list[Box]
    frames: dict[str, str]


def boxes(parts: Parts, trail: Sequence[str]) -> Drawn:
    """Draw a network, opened along a trail (`Parts.trail`)."""
    entry = Box("input", ("input", size(parts.net.input)), "", "", 1, (0,))
    drawn = Drawn([entry], {})
    _open(parts, drawn, "", "", trail)
    return drawn


def _open(parts: Parts, drawn: Drawn, path: str, frame: str, trail: Sequence[str]) -> None:
    """Draw what is in a part, and what is in that which the trail leads to."""
    for group in _groups(parts, path, trail):
        around_it = frame if path else _node(parts, drawn, group)
        first, *others = group
        if others or isinstance(first, int):
            drawn.boxes.append(_box(parts, group, around_it))
        elif trail and first.path == trail[0]:
            drawn.frames[first.path] = around_it
            _open(parts, drawn, first.path, first.path, trail[1:])
        elif parts.at_once(path):
            drawn.frames[first.path] = around_it
            _open(parts, drawn, first.path, first.path, ())
        else:
            drawn.boxes.append(_box(parts, group, around_it))


def _groups(parts: Parts, path: str, trail: Sequence[str]) -> list[list[Member]]:
    """Give a part's members, those together that are to be one box."""
    members = parts.members(path)
    if trail:
        at = [member.path if isinstance(member, Region) else "" for member in members]
        near = 1 if path else MOST_ROWS // 2
        return around(members, at.index(trail[0]), near)
    most = MOST_CALLS
    if not path:
        most = MOST_ROWS
    elif parts.is_stack(path):
        most = MOST_UNITS
    return folded(members, most, lambda member: _kind(parts, member))


def _kind(parts: Parts, member: Member) -> object:
    """Say what a member is, whatever its widths: two of one kind are drawn once."""
    if isinstance(member, int):
        return member
    weighted = [
        op_words(parts.graph.calls[inner].op)
        for inner in member.members
        if isinstance(inner, int) and parts.graph.calls[inner].op.param_count
    ]
    modules = [inner.name for inner in member.members if isinstance(inner, Region)]
    return parts.graph.labels.get(member.path), tuple(weighted), tuple(modules)


def _node(parts: Parts, drawn: Drawn, group: Sequence[Member]) -> str:
    """Frame the stages or streams of a node."""
    rows = [member.path for member in group if isinstance(member, Region)]
    node, *others = {path.partition(".")[0] for path in rows}
    if others or sum(path.startswith(f"{node}.") for path in parts.rows) < 2:
        return ""
    drawn.frames.setdefault(node, "")
    return node


def _box(parts: Parts, group: Sequence[Member], frame: str) -> Box:
    positions = tuple(index for member in group for index in calls(member))
    found = [parts.graph.calls[index] for index in positions]
    head, *more = _title(parts, group)
    shape = size(found[-1].shape)
    lines = [head, ", ".join([*more, shape])] if more else [f"{head}, {shape}"]
    path = _path(parts, group[0])
    key = head if len(group) > 1 else path
    if isinstance(group[0], int):
        return Box(key, tuple(lines), frame, "", len(group), positions)
    lines.append(_costs(found))
    return Box(key, tuple(lines), frame, path, len(group), positions, _dilations(found))


def _title(parts: Parts, group: Sequence[Member]) -> list[str]:
    """Name one or several parts, and say what they are; one without weights is what it is."""
    first, last = group[0], group[-1]
    if len(group) > 1:
        named = f"{_path(parts, first)} to {_path(parts, last).rpartition('.')[2]}"
        return [named, f"{len(group)} more{_alike(parts, group)}"]
    if isinstance(first, Region):
        row = parts.rows.get(first.path)
        return [first.path, row.block if row else parts.graph.labels.get(first.path, "module")]
    call = parts.graph.calls[first]
    words = op_words(call.op).removeprefix("act ")
    if isinstance(call.op, Slice):
        words = f"slice {call.op.start}:{'' if call.op.stop is None else call.op.stop}"
    return [call.name.rpartition(".")[2], words] if call.op.param_count else [words]


def _alike(parts: Parts, group: Sequence[Member]) -> str:
    if all(isinstance(member, int) for member in group):
        return " operations"
    if len({_kind(parts, member) for member in group}) == 1:
        shapes = {parts.graph.calls[calls(member)[-1]].shape for member in group}
        return " like this" if len(shapes) == 1 else ""
    labels = Counter(parts.graph.labels.get(_path(parts, member), "") for member in group)
    return f" {next(iter(labels))}" if len(labels) == 1 else ""


def _path(parts: Parts, member: Member) -> str:
    return parts.graph.calls[member].name if isinstance(member, int) else member.path


def _costs(found: Sequence[Call]) -> str:
    params = sum(call.op.param_count for call in found)
    macs = sum(call.op.macs(call.shape) for call in found)
    return f"{short(params)} params, {short(macs)} MACs"


def _dilations(found: Sequence[Call]) -> tuple[int, ...]:
    return tuple(sorted({getattr(call.op, "dilation", 1) for call in found} - {1}))
