"""The look of generated source: names, and lines broken where they do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, count, groupby
from textwrap import wrap

from archgen.forward import WIDTH

OPEN, NEXT, CLOSE = "\x01", "\x02", "\x03"
"""Marks in a constructor: a list of items begins, the next item, the list ends."""
_RESERVED = frozenset({"F", "False", "None", "Tensor", "True"})


def root_class(name: str) -> str:
    """Give the name of the class that is the network: ``dpn131`` -> ``Dpn131``."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return f"{camel}Module" if camel in _RESERVED else camel


def numbered(base: str) -> Iterator[str]:
    """Yield `base`, then `base` with 2, 3, ... behind it."""
    yield base
    yield from (f"{base}{number}" for number in count(2))


def signature(name: str, parameters: Sequence[str], result: str) -> list[str]:
    """Write the first line of a method, broken one parameter a line where it is too long."""
    line = f"    def {name}({', '.join(['self', *parameters])}) -> {result}:"
    if len(line) <= WIDTH:
        return [line]
    lines = ["    def " + name + "(", "        self,"]
    lines += [f"        {parameter}," for parameter in parameters]
    return [*lines, f"    ) -> {result}:"]


def layout(line: str, indent: int) -> list[str]:
    """Break a constructor at its list of items where it does not fit; fold equal items."""
    flat = _flat(line)
    if indent + len(flat) <= WIDTH:
        return [" " * indent + flat]
    if OPEN not in line:
        head, _, arguments = flat.partition("(")
        lines = [f"{head}(", *_broken(arguments[:-1], indent), ")"]
        return [" " * indent + part for part in lines]
    head, _, rest = line.partition(OPEN)
    inner, _, tail = rest.rpartition(CLOSE)
    lines = [" " * indent + head]
    for item, repeats in groupby(_items(inner)):
        count = len(list(repeats))
        if count > 2:
            lines.append(" " * (indent + 4) + f"*({_flat(item)} for _ in range({count})),")
            continue
        for _ in range(count):
            broken = layout(item, indent + 4)
            lines += [*broken[:-1], broken[-1] + ","]
    return [*lines, " " * indent + tail]


def statement(line: str, indent: int) -> list[str]:
    """Break an assignment or return inside the brackets of its call, or inside new ones."""
    if indent + len(line) <= WIDTH:
        return [" " * indent + line]
    keyword = "return " if line.startswith("return ") else line[: line.index(" = ") + 3]
    head, _, inner = line.removeprefix(keyword).partition("(")
    if not (re.fullmatch(r"[\w.\[\]]+", head) and _closes_last(inner)):
        head, inner = "", line.removeprefix(keyword) + ")"
    lines = [f"{keyword}{head}(", *_broken(inner[:-1], indent), ")"]
    return [" " * indent + part for part in lines]


def _broken(text: str, indent: int) -> list[str]:
    """Break what stands in brackets into lines below them."""
    width = WIDTH - indent - 4
    parts = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [f"    {part}" for part in parts]


def _closes_last(inner: str) -> bool:
    """Whether the bracket before `inner` is closed by its last character."""
    depths = accumulate((char == "(") - (char == ")") for char in inner)
    return next((i for i, depth in enumerate(depths) if depth < 0), None) == len(inner) - 1


def _flat(line: str) -> str:
    return line.replace(OPEN, "").replace(CLOSE, "").replace(NEXT, ", ")


def _items(inner: str) -> list[str]:
    items, depth = [""], 0
    for char in inner:
        depth += (char == OPEN) - (char == CLOSE)
        if char == NEXT and depth == 0:
            items.append("")
        else:
            items[-1] += char
    return items
