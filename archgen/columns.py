"""Columns: how one field of a stack is written, and the value that each block gets.

A field is a scalar, a list (one entry a stage; one a block where ``depth`` is a number),
a nested list, ``{first: a, rest: b}`` or a schedule. Knows no block.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from archgen.errors import ArchError, unknown

MAX_DEPTH = 2000
"""Most blocks that one stage may have."""


class Schedule(BaseModel):
    """A rule that gives a number to each block or each stage."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def values(self, depths: Sequence[int], staged: bool) -> list[list[Any]]:
        """Give the value of each block, stage by stage.

        Args:
            depths: Blocks in each stage.
            staged: Whether the node has stages (else it is one list of blocks).
        """
        raise NotImplementedError


def _round(value: float) -> int:
    return floor(value + 0.5)


def _deal(flat: Sequence[Any], depths: Sequence[int]) -> list[list[Any]]:
    rest = iter(flat)
    return [[next(rest) for _ in range(depth)] for depth in depths]


class Additive(Schedule):
    """Grows by alpha / N a block: after all N blocks it is start + alpha.

    PyramidNet (arXiv:1610.02915, equation 2); the running width stays real and each
    block takes it rounded, as the authors' code does.
    """

    kind: Literal["additive"]
    start: PositiveFloat
    alpha: float = Field(ge=-1e6, le=1e6, description="widening factor: last width minus start")

    def values(self, depths: Sequence[int], staged: bool) -> list[list[int]]:
        total, width, widths = sum(depths), self.start, []
        for _ in range(total):
            width += self.alpha / total
            widths.append(_round(width))
        return _deal(widths, depths)


class Multiplicative(Schedule):
    """Grows by the factor alpha ** (1 / N) a block: after all N blocks it is start * alpha.

    PyramidNet (arXiv:1610.02915, equation 3).
    """

    kind: Literal["multiplicative"]
    start: PositiveFloat
    alpha: float = Field(gt=0, le=1e4, description="last width over start")

    def values(self, depths: Sequence[int], staged: bool) -> list[list[int]]:
        total, width, widths = sum(depths), self.start, []
        for _ in range(total):
            width *= self.alpha ** (1 / total)
            widths.append(_round(width))
        return _deal(widths, depths)


class Geometric(Schedule):
    """start * ratio ** s in stage s, from 0 (in block s where the node has no stages)."""

    kind: Literal["geometric"]
    start: PositiveFloat
    ratio: PositiveFloat = Field(le=64)

    def values(self, depths: Sequence[int], staged: bool) -> list[list[int]]:
        if not staged:
            return [[_round(self.start * self.ratio**i) for i in range(depths[0])]]
        return [[_round(self.start * self.ratio**s)] * depth for s, depth in enumerate(depths)]


class Quantised(Schedule):
    """RegNet's widths: a line, quantised to powers of `ratio`, in multiples of `step`.

    Block j of the node gets start * ratio ** round(log_ratio((start + slope * j) / start)),
    rounded to a multiple of `step` (arXiv:2003.13678, equations 2 to 4). Blocks of one
    width are RegNet's stages, so that ``depth`` should change where the width does.
    """

    kind: Literal["quantised"]
    start: PositiveFloat
    slope: float = Field(ge=0, le=1e4)
    ratio: float = Field(gt=1, le=64)
    step: PositiveInt = 8

    def values(self, depths: Sequence[int], staged: bool) -> list[list[int]]:
        widths = []
        for j in range(sum(depths)):
            power = round(log((self.start + self.slope * j) / self.start) / log(self.ratio))
            width = self.start * self.ratio**power
            widths.append(max(1, round(width / self.step)) * self.step)
        return _deal(widths, depths)


class Cycle(Schedule):
    """The values of `of` in turn, block after block through the whole node."""

    kind: Literal["cycle"]
    of: list[Any] = Field(min_length=1, max_length=64)

    def values(self, depths: Sequence[int], staged: bool) -> list[list[Any]]:
        return _deal([self.of[i % len(self.of)] for i in range(sum(depths))], depths)


AnySchedule: TypeAlias = Annotated[
    Additive | Multiplicative | Geometric | Quantised | Cycle, Field(discriminator="kind")
]
SCHEDULES = ("additive", "cycle", "geometric", "multiplicative", "quantised")
_schedule: TypeAdapter[Any] = TypeAdapter(AnySchedule)


def is_column(value: Any) -> bool:
    """Tell whether a raw value is more than a scalar: a list, first-and-rest or a schedule."""
    return isinstance(value, list) or (
        isinstance(value, dict) and ("kind" in value or "first" in value or "rest" in value)
    )


def resolve(
    value: Any, depths: Sequence[int], *, staged: bool, opens: bool, default: Any, path: str
) -> list[list[Any]]:
    """Give each block its value, stage by stage.

    Args:
        value: The field as the spec has it.
        depths: Blocks in each stage.
        staged: Whether the node has stages (else it is one list of blocks).
        opens: Whether the field acts only where a stage opens (``stride``): one value a
            stage then goes to the first block and the others get `default`.
        default: The block's own default.
        path: The field's path, for errors.

    Raises:
        ArchError: A list of the wrong length, an unknown schedule or a bad number in one.
    """
    if isinstance(value, dict) and "kind" in value:
        values = _scheduled(value, depths, staged, path)
        if opens and staged and value["kind"] == "geometric":
            return [[first, *[default] * len(rest)] for first, *rest in values]
        return values
    if not staged and isinstance(value, list):
        _same_length(value, depths[0], "block", path)
        return [value]
    stages = value if isinstance(value, list) else [value] * len(depths)
    _same_length(stages, len(depths), "stage", path)
    return [
        _stage(entry, depth, opens=opens, default=default, path=f"{path}.{index}")
        if isinstance(value, list)
        else _stage(entry, depth, opens=opens, default=default, path=path)
        for index, (entry, depth) in enumerate(zip(stages, depths, strict=True))
    ]


def _scheduled(
    value: dict[str, Any], depths: Sequence[int], staged: bool, path: str
) -> list[list[Any]]:
    schedule = parse_schedule(value, path)
    try:
        return schedule.values(depths, staged)
    except (OverflowError, ValueError):
        raise ArchError(path, "these numbers lead beyond all bounds; use smaller ones") from None


def parse_schedule(value: dict[str, Any], path: str) -> Schedule:
    """Read ``{kind: ..., ...}``; raise `ArchError` with the field that is wrong."""
    if value["kind"] not in SCHEDULES:
        raise ArchError(f"{path}.kind", unknown("schedule", str(value["kind"]), SCHEDULES))
    try:
        schedule: Schedule = _schedule.validate_python(value)
    except ValidationError as error:
        raise from_validation(error, path, skip=1) from None
    return schedule


def from_validation(error: ValidationError, path: str, skip: int = 0) -> ArchError:
    """Turn pydantic's first complaint into an `ArchError` below `path`.

    Args:
        error: What pydantic raised.
        path: Where the validated value stands.
        skip: Leading parts of pydantic's location to drop (a union's tag).
    """
    first = chief(error)
    where = ".".join([path, *map(str, first["loc"][skip:])]).strip(".")
    given = first.get("input")
    message = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "missing":
        return ArchError(where, "this field is required")
    if first["type"] == "extra_forbidden":
        return ArchError(where, "no such field here")
    if first["type"] == "value_error":
        return ArchError(where, first["msg"].removeprefix("Value error, "))
    if first["type"] in ("too_short", "too_long"):
        bounds = first["ctx"]
        least, most = bounds.get("min_length"), bounds.get("max_length")
        wanted = f"at least {least}" if most is None else f"at most {most}"
        return ArchError(where, f"has {bounds['actual_length']} entries, needs {wanted}")
    message = _KINDS.get(first["type"], message)
    shown = repr(given)
    return ArchError(where, f"{message}, not {shown if len(shown) < 60 else shown[:57] + '...'}")


_KINDS = {
    "tuple_type": "needs a list",
    "list_type": "needs a list",
    "dict_type": "needs a mapping",
    "model_type": "needs a mapping",
    "string_type": "needs text",
    "int_type": "needs an integer",
    "int_from_float": "needs an integer",
    "float_type": "needs a number",
    "bool_type": "needs true or false",
}
"""Complaints in YAML's terms, by pydantic's name of each."""


def chief(error: ValidationError) -> Any:
    """Give the complaint to show: the first, or of a union's the one deepest in the value."""
    found = error.errors(include_url=False)
    above = found[0]["loc"][:-1]
    near = [each for each in found if each["loc"][: len(above)] == above]
    return max(near, key=lambda each: (len(each["loc"]), not each["type"].endswith("_type")))


def _same_length(values: Sequence[Any], wanted: int, unit: str, path: str) -> None:
    if len(values) != wanted:
        raise ArchError(
            path, f"{len(values)} values for {wanted} {unit}s; give one value, or one a {unit}"
        )


def _stage(value: Any, depth: int, *, opens: bool, default: Any, path: str) -> list[Any]:
    """Spread one stage's entry over its blocks."""
    if isinstance(value, list):
        _same_length(value, depth, "block", path)
        return value
    if isinstance(value, dict) and ("first" in value or "rest" in value):
        if set(value) != {"first", "rest"}:
            raise ArchError(path, "must have exactly the keys first and rest")
        return [value["first"]] + [value["rest"]] * (depth - 1)
    if isinstance(value, dict) and "kind" in value:
        return _scheduled(value, [depth], False, path)[0]
    return [value] + [default] * (depth - 1) if opens else [value] * depth
