"""Numbers and operations in few words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from itertools import count
from typing import TYPE_CHECKING, Any

from archgen.ops import Op

if TYPE_CHECKING:
    from archgen.study import Row, Study
    from archgen.study.space import Parameter

_IN_SHAPES = ("inp", "out", "channels", "dims")
_FACTORS = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
NAMES = {
    "top1": "validation top-1",
    "loss": "validation loss",
    "params": "parameters",
    "macs": "MACs",
    "activations": "activations",
    "depth": "layers",
    "receptive_field": "receptive field",
    "saved_bytes": "saved for backward",
    "peak_bytes": "peak in inference",
    "buffers": "running statistics",
}
"""What people call the scores and costs that programs call by these keys."""
UNITS = {
    "top1": "%",
    "loss": "nats an image",
    "receptive_field": "pixels",
    "saved_bytes": "bytes",
    "peak_bytes": "bytes",
}
"""Of those that are no plain counts."""


def short(count: float) -> str:
    """Write a count in three digits and a unit: ``79.3M``."""
    for unit, factor in _FACTORS:
        if count >= 0.9995 * factor:
            value = count / factor
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f}{unit}"
    return f"{count:g}"


def mebibytes(count: float) -> str:
    """Write bytes as people compare them: ``214.0 MiB``, ``9.31 GiB``; below ten two digits."""
    value, unit = count / 2**20, "MiB"
    if value >= 1023.95:
        value, unit = value / 2**10, "GiB"
    return f"{value:,.{1 if value >= 9.995 else 2}f} {unit}"


def duration(seconds: float) -> str:
    """Write a time as people do: ``4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def op_words(op: Op) -> str:
    """Name an operation and its numbers, but for channels, which the shapes show."""
    said = [type(op).__name__.lower()]
    for each in fields(op):  # type: ignore[arg-type]
        value: Any = getattr(op, each.name)
        if each.name == "kernel":
            said.append(f"{value}x{value}")
        elif each.name == "kind":
            said.append(value)
        elif each.name not in _IN_SHAPES and value not in (None, each.default):
            said.append(f"{each.name}={value}")
    return " ".join(said)


def titled(name: str) -> str:
    """Call a score or cost by its name with a capital letter: ``Parameters``."""
    return capital(NAMES[name])


def capital(text: str) -> str:
    """Begin with a capital letter, all else as it is."""
    return text[:1].upper() + text[1:]


def with_unit(name: str) -> str:
    """Call a score or cost by its name and unit, if it has one: ``receptive field (pixels)``."""
    return f"{NAMES[name]} ({UNITS[name]})" if name in UNITS else NAMES[name]


def figure(name: str, value: float | None) -> str:
    """Write a score or cost in few digits: ``99.72%``, ``0.0312``, ``2.32M``, ``214.0 MiB``.

    Args:
        name: One of `NAMES`.
        value: The figure; None, where there is no such number, is a dash.
    """
    if value is None:
        return "-"
    if name == "top1":
        return f"{value:.2f}%"
    if name == "loss":
        return f"{value:.4f}"
    return exact(name, value) if name in UNITS else short(value)


def exact(name: str, value: float | None) -> str:
    """Write a cost with all its digits, but of bytes: ``79,254,504``, ``907 px``, ``214.0 MiB``.

    The arguments are those of `figure`.
    """
    if value is None:
        return "-"
    if UNITS.get(name) == "bytes":
        return mebibytes(value)
    return f"{value:,.0f} px" if UNITS.get(name) == "pixels" else f"{value:,.0f}"


def endings(paths: Iterable[str]) -> dict[str, str]:
    """Give of each dotted path as much of its end as tells it from the others."""
    keys = {path: path.split(".") for path in paths}
    for length in count(1):
        names = {path: ".".join(key[-length:]) for path, key in keys.items()}
        if len(set(names.values())) == len(names):
            break
    return names


def plain(value: object) -> str:
    """Write a spec's value on one line: ``34``, ``zeros``, ``[2,1,1]``, ``{kind:cycle,of:[1]}``."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{plain(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(plain, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def value_words(value: object) -> str:
    """Write a value of a spec as `plain` does, of a whole node its block and depth, of None a dash.

    As in ``repvgg_sse depth=[4,4,5,5] streams=3``.
    """
    if value is None:
        return "-"
    if not (isinstance(value, dict) and "block" in value):
        return plain(value)
    known = [f"{key}={plain(value[key])}" for key in ("depth", "streams") if key in value]
    return " ".join([plain(value["block"]), *known])


def brief(value: object) -> str:
    """Write a spec's value as `plain` does, but of a mapping the words in it: ``additive``."""
    if not isinstance(value, dict):
        return plain(value)
    words = [each for each in value.values() if isinstance(each, str)]
    return " ".join(words) or plain(value)


def chosen(one: Parameter, row: Row) -> str:
    """Write a candidate's value; briefly what has parameters of its own, if that is clear.

    Such a schedule's own alpha would only mislead: another one takes its place.
    """
    from archgen.study.space import Choice

    if isinstance(one.vary, Choice) and any(path.startswith(f"{one.path}.") for path in row.values):
        text = brief(one.value)
        if [brief(other) for other in one.vary.values].count(text) == 1:
            return text
    return plain(one.value)


def varied(study: Study, row: Row) -> dict[str, str]:
    """Write what varies in a candidate, and what was solved for, by path.

    As in ``{"stages.width": "additive", "stages.width.alpha": "37"}``.
    """
    from archgen.study.space import walk

    found = walk(study.vary, lambda _, path, __: row.vary[path])
    said = {one.path: chosen(one, row) for one in found}
    return said | {path: plain(value) for path, value in row.solved.items()}
