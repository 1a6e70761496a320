"""Classes of generated source: modules whose code is the same up to numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from archgen.codegen.text import layout, numbered, signature, statement
from archgen.ops import Slot, Text


@dataclass
class Class:
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
            lines += signature("__init__", typed, "None")
            lines.append("        super().__init__()")
            lines += [f"        self.{attribute} = {name}" for name, attribute in kept.items()]
            for line in init:
                lines += layout(line, 8)
            lines.append("")
        inputs = [f"{name}: Tensor" for name in self.inputs]
        result = "Tensor"
        if self.results > 1:
            result = f"tuple[{', '.join(['Tensor'] * self.results)}]"
        lines += signature("forward", inputs, result)
        for line in forward:
            lines += statement(line, 8)
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
    if outs and slots[0][1].role in ("inp", "channels"):
        names = ["channels"]
    elif outs:
        names = [outs[0]]
    elif any(slot.role == "inp" for _, slot in slots):
        names = ["inp"]
    else:
        owner, slot = min(slots, key=lambda pair: len(pair[1].role))
        names = [slot.role, f"{owner}_{slot.role}" if owner else slot.role]
    candidates = chain(names, numbered(names[-1]))
    return next(name for name in candidates if name not in taken)


def _places(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:3])
    return shown + (f" and {len(paths) - 3} more." if len(paths) > 3 else ".")
