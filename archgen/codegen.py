"""From a graph to Python source: plain PyTorch modules that a person could have written.

One class for each module whose code is the same up to numbers; numbers that differ between
its instances become constructor arguments. Writes text; imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, count, groupby

from archgen.analysis import cost
from archgen.graph import Graph
from archgen.ops import Act, Op, Slot, Text
from archgen.regions import Region, is_list, regions
from archgen.spec import Net

WIDTH = 96
_OPEN, _NEXT, _CLOSE = "\x01", "\x02", "\x03"
_SLOT_WIDTH = 5
_RESERVED = ("F", "False", "None", "Tensor", "True")
_VARIABLES = ("x", "y", "z", "u", "v", "w", "p", "q", "r", "s", "t")


def source(net: Net | Graph) -> str:
    """Write a network as a Python module that imports alone.

    The module has one class for each distinct block and, last, one for the network; the
    attributes of its modules are the paths of the spec.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    graph = net if isinstance(net, Graph) else net.graph()
    body = _body(graph)
    imports = ["from torch import Tensor, nn"]
    if "torch." in body:
        imports.insert(0, "import torch")
    if "F." in body:
        imports.append("from torch.nn import functional as F")
    return f'"""{_heading(net, graph)}"""\n\n' + "\n".join(imports) + "\n\n\n" + body


@lru_cache(maxsize=16)
def _body(graph: Graph) -> str:
    return _Writer(graph).write()


def root_class(name: str) -> str:
    """Give the name of the class that is the network: ``dpn131`` -> ``Dpn131``."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return f"{camel}Module" if camel in _RESERVED else camel


def _heading(net: Net | Graph, graph: Graph) -> str:
    counts = cost(graph)
    title = graph.name
    if isinstance(net, Net) and net.paper is not None:
        plain = re.sub(r"[^\w ,.:;()&+-]", " ", net.paper.title)
        arxiv = f" (arXiv:{net.paper.arxiv})" if net.paper.arxiv else ""
        title += f": {plain}{arxiv}"
    shape = ", ".join(map(str, graph.calls[0].shape))
    return (
        f"{title}.\n\nInput (N, {shape}); {counts.params:,} parameters, {counts.macs:,} "
        "multiply-accumulates an image.\nWritten by archgen from its spec; needs only PyTorch.\n"
    )


@dataclass
class _Class:
    """Modules with the same code up to numbers."""

    name: str
    base: str
    init: list[tuple[str, Text]]
    forward: list[Text]
    inputs: list[str]
    results: int
    paths: list[str] = field(default_factory=list)
    values: list[list[int | float]] = field(default_factory=list)
    args: dict[int, str] = field(default_factory=dict)
    """Argument of each slot that differs between instances, by the slot's position."""

    def slots(self) -> list[tuple[str, Slot]]:
        """Give all numbers of the code, each with the attribute that it belongs to."""
        found = [(name, part) for name, text in self.init for part in text]
        found += [("", part) for text in self.forward for part in text]
        return [(name, part) for name, part in found if isinstance(part, Slot)]

    def finish(self) -> None:
        """Decide which numbers become arguments, now that all instances are known."""
        slots = self.slots()
        columns = list(zip(*self.values, strict=True))
        groups: dict[tuple[int | float, ...], list[int]] = {}
        for index, column in enumerate(columns):
            if len(set(column)) > 1:
                groups.setdefault(column, []).append(index)
        taken: set[str] = set()
        for indices in groups.values():
            name = _argument([slots[i] for i in indices], taken)
            taken.add(name)
            self.args.update(dict.fromkeys(indices, name))

    def call(self, instance: int) -> Text:
        """Give the constructor call of one instance; its arguments are slots for the parent."""
        parts: list[str | Slot] = [f"{self.name}("]
        for name, index in self._parameters().items():
            parts += [Slot(name, self.values[instance][index]), ", "]
        return (*(parts[:-1] if len(parts) > 1 else parts), ")")

    def _parameters(self) -> dict[str, int]:
        """Give the constructor's arguments in order, each with the first slot that it fills."""
        found: dict[str, int] = {}
        for index in sorted(self.args):
            found.setdefault(self.args[index], index)
        return found

    def render(self) -> str:
        """Write the class."""
        numbers = iter(range(len(self.slots())))
        attributes = {name for name, _ in self.init}
        init = [f"self.{name} = {self._fill(text, numbers)}" for name, text in self.init]
        kept: dict[str, str] = {}
        forward = [self._fill(text, numbers, kept, attributes) for text in self.forward]
        lines = [f"class {self.name}({self.base}):", f'    """{_places(self.paths)}"""', ""]
        if self.base == "nn.Module" and (init or kept):
            typed = [f"{name}: {self._type(i)}" for name, i in self._parameters().items()]
            lines += _signature("__init__", typed, "None")
            lines.append("        super().__init__()")
            lines += [f"        self.{attribute} = {name}" for name, attribute in kept.items()]
            for line in init:
                lines += _layout(line, 8)
            lines.append("")
        inputs = [f"{name}: Tensor" for name in self.inputs]
        result = "Tensor"
        if self.results > 1:
            result = f"tuple[{', '.join(['Tensor'] * self.results)}]"
        lines += _signature("forward", inputs, result)
        lines += [f"        {line}" for line in forward]
        return "\n".join(lines) + "\n"

    def _type(self, index: int) -> str:
        return "float" if any(isinstance(v[index], float) for v in self.values) else "int"

    def _fill(
        self,
        text: Text,
        numbers: Iterator[int],
        kept: dict[str, str] | None = None,
        attributes: set[str] | None = None,
    ) -> str:
        """Put numbers or arguments into the slots; in `forward`, arguments are attributes."""
        parts = []
        for part in text:
            if isinstance(part, str):
                parts.append(part)
                continue
            index = next(numbers)
            if (name := self.args.get(index)) is None:
                value = self.values[0][index]
                omitted = part.default is not None and value == part.default
                parts.append("" if omitted else f"{part.keyword}{value!r}")
            elif kept is None:
                parts.append(part.keyword + name)
            else:
                clash = name in (attributes or ())
                kept[name] = f"{name}_number" if clash else name
                parts.append(f"{part.keyword}self.{kept[name]}")
        return "".join(parts)


def _argument(slots: Sequence[tuple[str, Slot]], taken: set[str]) -> str:
    """Name an argument after the clearest of the numbers that it stands for."""
    outs = [name for name, slot in slots if slot.role == "out" and name]
    if outs:
        names = [outs[0]]
    elif any(slot.role == "inp" for _, slot in slots):
        names = ["inp"]
    else:
        owner, slot = min(slots, key=lambda pair: len(pair[1].role))
        names = [slot.role, f"{owner}_{slot.role}" if owner else slot.role]
    candidates = chain(names, _numbered(names[-1]))
    return next(name for name in candidates if name not in taken)


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}{number}"
        number += 1


class _Writer:
    """Writes the classes of one graph, leaves first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.classes: dict[object, _Class] = {}
        self.names: set[str] = {root_class(graph.name)}
        self.instances: dict[str, tuple[_Class, int]] = {}
        self.lists: dict[str, Text] = {}

    def write(self) -> str:
        root = regions(self.graph)
        root.outputs = self.graph.outputs
        root.inputs = (0,)
        levels: dict[int, list[Region]] = {}
        _by_height(root, levels)
        done = 0
        for height in sorted(levels):
            for region in levels[height]:
                self._add(region)
            for known in list(self.classes.values())[done:]:
                known.finish()
            done = len(self.classes)
        return "\n\n".join(known.render() for known in self.classes.values())

    def _constructor(self, region: Region) -> Text:
        if region.path in self.lists:
            return self.lists[region.path]
        known, instance = self.instances[region.path]
        return known.call(instance)

    def _add(self, region: Region) -> None:
        children = [m for m in region.members if isinstance(m, Region)]
        if region.path and is_list(region.members):
            items: list[str | Slot] = []
            for child in children:
                items += [_NEXT, *self._constructor(child)]
            if _is_chain(region, children):
                self.lists[region.path] = ("nn.Sequential(", _OPEN, *items[1:], _CLOSE, ")")
                return
            known, _ = self._class(region, "nn.ModuleList", [])
            self.lists[region.path] = (f"{known.name}([", _OPEN, *items[1:], _CLOSE, "])")
            return
        init: list[tuple[str, Text]] = []
        for member in region.members:
            if isinstance(member, Region):
                init.append((member.name, self._constructor(member)))
            elif (text := self.graph.calls[member].op.module()) is not None:
                init.append((self.graph.calls[member].name.rpartition(".")[2], text))
        self.instances[region.path] = self._class(region, "nn.Module", init)

    def _class(self, region: Region, base: str, init: list[tuple[str, Text]]) -> tuple[_Class, int]:
        forward = _Forward(self.graph, region, indexed=base == "nn.ModuleList")
        draft = _Class("", base, init, forward.lines, forward.inputs, len(region.outputs))
        key = (
            base,
            tuple((name, _shape_of(text)) for name, text in init),
            tuple(_shape_of(text) for text in forward.lines),
            region.path == "",
        )
        known = self.classes.setdefault(key, draft)
        if known is draft:
            known.name = self._name(region)
        known.paths.append(region.path or self.graph.name)
        known.values.append([slot.value for _, slot in draft.slots()])
        return known, len(known.values) - 1

    def _name(self, region: Region) -> str:
        if not region.path:
            return root_class(self.graph.name)
        label = self.graph.labels.get(region.path, region.name)
        name = next(n for n in _numbered(root_class(label)) if n not in self.names)
        self.names.add(name)
        return name


def _shape_of(text: Text) -> tuple[str, ...]:
    return tuple(p if isinstance(p, str) else f"\0{p.keyword}{p.default}" for p in text)


def _by_height(region: Region, levels: dict[int, list[Region]]) -> int:
    heights = [_by_height(m, levels) for m in region.members if isinstance(m, Region)]
    height = max(heights, default=-1) + 1
    levels.setdefault(height, []).append(region)
    return height


def _is_chain(region: Region, children: Sequence[Region]) -> bool:
    flow = region.inputs
    for child in children:
        if len(child.inputs) != 1 or len(child.outputs) != 1 or child.inputs != flow:
            return False
        flow = child.outputs
    return region.outputs == flow


class _Forward:
    """Writes the body of one ``forward``."""

    def __init__(self, graph: Graph, region: Region, *, indexed: bool) -> None:
        self.graph = graph
        self.region = region
        self.indexed = indexed
        self.members = region.members
        self.expressions: dict[int, tuple[Text, bool]] = {}
        self.names: dict[int, str] = {}
        self.last = self._last_uses()
        self.fresh = chain(_VARIABLES, (f"h{i}" for i in count(1)))
        self.free: list[str] = []
        self.inputs = [self._name(index) for index in region.inputs]
        self.lines: list[Text] = []
        for position, member in enumerate(self.members):
            self._member(position, member)
        ends = [self.expressions[index][0] for index in region.outputs]
        if self._returns_last_line():
            self.lines[-1] = ("return ", *self.lines[-1][1:])
        else:
            joined: list[str | Slot] = [part for end in ends for part in (*end, ", ")]
            self.lines.append(("return ", *joined[:-1]))

    def _returns_last_line(self) -> bool:
        """Whether the last line only computes what is returned (its first part assigns it)."""
        if not self.lines or len(self.region.outputs) != 1:
            return False
        return self.lines[-1][0] == f"{self.names[self.region.outputs[0]]} = "

    def _last_uses(self) -> dict[int, int]:
        last = {}
        for position, member in enumerate(self.members):
            reads = member.inputs if isinstance(member, Region) else self.graph.calls[member].inputs
            for index in reads:
                last[index] = position
        for index in self.region.outputs:
            last[index] = len(self.members)
        return last

    def _member(self, position: int, member: int | Region) -> None:
        if isinstance(member, Region):
            me = f"self[{member.name}]" if self.indexed else f"self.{member.name}"
            passed: list[str | Slot] = [f"{me}("]
            for index in member.inputs:
                passed += [*self.expressions[index][0], ", "]
            self._release(position, member.inputs)
            self._assign(member.outputs, (*passed[:-1], ")"))
            return
        call = self.graph.calls[member]
        marks = [f"\x04{i}\x04" for i in range(len(call.inputs))]
        me = call.name.rpartition(".")[2]
        text = call.op.expr(marks, me)
        if isinstance(call.op, Act) and self._may_overwrite(call.op, call.inputs[0]):
            text = call.op.expr_in_place(marks)
        expression = self._insert(text, call.op, call.inputs)
        self._release(position, call.inputs)
        if self._fits_into_next(position, member, expression):
            self.expressions[member] = (expression, call.op.infix)
        else:
            self._assign((member,), expression)

    def _may_overwrite(self, act: Act, operand: int) -> bool:
        """In place only on a fresh result of this very module that nothing else reads."""
        return (
            act.may_work_in_place
            and operand in self.members
            and self.graph.calls[operand].op.fresh
            and len(self.graph.users[operand]) == 1
            and operand not in self.graph.outputs
        )

    def _insert(self, text: Text, op: Op, inputs: Sequence[int]) -> Text:
        parts: list[str | Slot] = []
        for part in text:
            if isinstance(part, Slot):
                parts.append(part)
                continue
            for index, piece in enumerate(part.split("\x04")):
                if index % 2 == 0:
                    parts.append(piece)
                    continue
                operand, infix = self.expressions[inputs[int(piece)]]
                parts += ["(", *operand, ")"] if infix and op.tight else operand
        return _merged(parts)

    def _fits_into_next(self, position: int, index: int, expression: Text) -> bool:
        """Whether the only reader is the next member, so that a nested expression reads well."""
        if position + 1 >= len(self.members) or index in self.region.outputs:
            return False
        following = self.members[position + 1]
        if isinstance(following, Region):
            reads, length = list(following.inputs), 12 + len(following.name)
        else:
            call = self.graph.calls[following]
            reads, length = list(call.inputs), 24 + len(call.name.rpartition(".")[2])
        alone = reads.count(index) == 1 and self.last[index] == position + 1
        return alone and _length(expression) + length + 8 * len(reads) <= WIDTH - 16

    def _release(self, position: int, inputs: Sequence[int]) -> None:
        for index in reversed(inputs):
            if self.last[index] == position and (name := self.names.get(index)) is not None:
                if name not in self.free:
                    self.free.append(name)

    def _name(self, index: int) -> str:
        name = self.free.pop() if self.free else next(self.fresh)
        self.names[index] = name
        self.expressions[index] = ((name,), False)
        return name

    def _assign(self, outputs: Sequence[int], expression: Text) -> None:
        names = [self._name(index) for index in outputs]
        self.lines.append((f"{', '.join(names)} = ", *expression))


def _merged(parts: Sequence[str | Slot]) -> Text:
    merged: list[str | Slot] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged)


def _length(text: Text) -> int:
    return sum(len(p) if isinstance(p, str) else _SLOT_WIDTH + len(p.keyword) for p in text)


def _places(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:3])
    return shown + (f" and {len(paths) - 3} more." if len(paths) > 3 else ".")


def _signature(name: str, parameters: Sequence[str], result: str) -> list[str]:
    line = f"    def {name}({', '.join(['self', *parameters])}) -> {result}:"
    if len(line) <= WIDTH:
        return [line]
    lines = ["    def " + name + "(", "        self,"]
    lines += [f"        {parameter}," for parameter in parameters]
    return [*lines, f"    ) -> {result}:"]


def _layout(line: str, indent: int) -> list[str]:
    """Break a constructor at its list of items where it does not fit; fold equal items."""
    flat = _flat(line)
    if indent + len(flat) <= WIDTH:
        return [" " * indent + flat]
    if _OPEN not in line:
        head, _, arguments = flat.partition("(")
        return [" " * indent + head + "(", " " * (indent + 4) + arguments[:-1], " " * indent + ")"]
    head, _, rest = line.partition(_OPEN)
    inner, _, tail = rest.rpartition(_CLOSE)
    lines = [" " * indent + head]
    for item, repeats in groupby(_items(inner)):
        count = len(list(repeats))
        if count > 2:
            lines.append(" " * (indent + 4) + f"*({_flat(item)} for _ in range({count})),")
            continue
        for _ in range(count):
            broken = _layout(item, indent + 4)
            lines += [*broken[:-1], broken[-1] + ","]
    return [*lines, " " * indent + tail]


def _flat(line: str) -> str:
    return line.replace(_OPEN, "").replace(_CLOSE, "").replace(_NEXT, ", ")


def _items(inner: str) -> list[str]:
    items, depth = [""], 0
    for char in inner:
        depth += (char == _OPEN) - (char == _CLOSE)
        if char == _NEXT and depth == 0:
            items.append("")
        else:
            items[-1] += char
    return items
