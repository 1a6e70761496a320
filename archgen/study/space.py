"""What varies in a study: values, and values that have parameters of their own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from archgen.yamlfile import Loc

Number = int | float

# How deep values with parameters of their own may stand in one another.
NESTED = 4
# The most combinations of a grid.
GRID = 100_000

CONFIG = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    populate_by_name=True,
    serialize_by_alias=True,
)


class Range(BaseModel):
    """Numbers from one end to the other: whole ones where all that is given is whole."""

    model_config = CONFIG
    from_: Number = Field(alias="from", description="The lowest value.")
    to: Number = Field(description="The highest value.")
    step: Number | None = Field(
        None,
        description="Distance between neighbours; without it 1 for whole numbers, none for others.",
    )
    log: bool = Field(False, description="Small numbers as likely as large ones, by ratio.")

    @model_validator(mode="after")
    def _check(self) -> Range:
        if self.from_ >= self.to:
            raise ValueError(f"from {self.from_} must be below to {self.to}")
        if self.log and (self.step is not None or self.from_ <= 0):
            raise ValueError("a log range takes no step and starts above zero")
        if self.step is not None:
            if self.step <= 0:
                raise ValueError(f"step {self.step} must be above zero")
            count = round((self.to - self.from_) / self.step)
            last = self.from_ + count * self.step
            if not math.isclose(last, self.to):
                raise ValueError(
                    f"steps of {self.step} from {self.from_} never reach {self.to}; "
                    f"they reach {last}"
                )
        return self

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return all(isinstance(n, int) for n in (self.from_, self.to, self.step or 1))

    @property
    def size(self) -> int | None:
        """How many values there are; None where there is no end of them."""
        if not self.whole and self.step is None:
            return None
        return round((self.to - self.from_) / (self.step or 1)) + 1

    def ends(self) -> Iterator[tuple[Loc, Any]]:
        """The values that must build, each with its place in the file."""
        yield ("from",), self.from_
        yield ("to",), self.to

    def at(self, part: float) -> Number:
        """The value that lies a part of the way up, 0 <= part < 1; all are equally wide."""
        if self.log:
            low, high = math.log(self.from_), math.log(self.to)
            return self.snap(math.exp(low + part * (high - low)))
        if self.size is None:
            return self.from_ + part * (self.to - self.from_)
        return self.nth(int(part * self.size))

    def nth(self, index: int) -> Number:
        """A value by its place in the order, from 0; only where there is an end of them."""
        value = self.from_ + index * (self.step or 1)
        return value if self.whole else float(f"{value:.12g}")

    def snap(self, value: float) -> Number:
        """The nearest value of the range, spelled in the one way that `nth` spells it."""
        value = min(max(value, self.from_), self.to)
        if self.size is None:
            return float(value)
        return self.nth(round((value - self.from_) / (self.step or 1)))


class Branch(BaseModel):
    """A value of a choice that brings parameters of its own: they exist under it only."""

    model_config = CONFIG
    value: Any = Field(description="The value.")
    vary: dict[str, Vary] = Field(
        min_length=1,
        max_length=100,
        description="Dotted paths that vary where this value is chosen, as in the study itself.",
    )

    @model_serializer
    def _data(self) -> dict[str, Any]:
        # Not the default: that drops a value of null.
        return {"value": self.value, "vary": self.vary}


def _entry(value: Any) -> str:
    if isinstance(value, Branch) or (isinstance(value, dict) and {"value", "vary"} & value.keys()):
        return "branch"
    return "value"


Entry = Annotated[
    Annotated[Branch, Tag("branch")]
    | Annotated[
        Any,
        Tag("value"),
        WithJsonSchema(
            {"not": {"type": "object", "anyOf": [{"required": ["value"]}, {"required": ["vary"]}]}}
        ),
    ],
    Discriminator(_entry),
]


class Choice(BaseModel):
    """One of some values of any kind: numbers, words, lists, maps."""

    model_config = CONFIG
    any: list[Entry] = Field(
        min_length=2,
        max_length=1000,
        description="The values; {value: ..., vary: ...} is one with parameters of its own.",
    )

    @model_validator(mode="after")
    def _check(self) -> Choice:
        if len(self._places) < len(self.any):
            raise ValueError("each choice must stand there once")
        return self

    @cached_property
    def values(self) -> list[Any]:
        """The values alone."""
        return [each.value if isinstance(each, Branch) else each for each in self.any]

    @cached_property
    def labels(self) -> list[str]:
        """Each value as one line of JSON."""
        return [label(value) for value in self.values]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {text: index for index, text in enumerate(self.labels)}

    @cached_property
    def _branches(self) -> list[dict[str, Vary]]:
        return [each.vary if isinstance(each, Branch) else {} for each in self.any]

    def under(self, value: Any) -> dict[str, Vary]:
        """What varies where a value is chosen; often nothing."""
        return self._branches[self._places[label(value)]] if self._branching else {}

    @cached_property
    def _branching(self) -> bool:
        return any(self._branches)

    @cached_property
    def sizes(self) -> list[int | None]:
        """How many combinations each value stands for; None where there is no end of them."""
        return [count(vary) for vary in self._branches]

    @property
    def size(self) -> int | None:
        """How many combinations there are in all; None where there is no end of them."""
        sizes = self.sizes
        return None if None in sizes else sum(size or 0 for size in sizes)

    def ends(self) -> Iterator[tuple[Loc, Any]]:
        """The values that must build, each with its place in the file."""
        for index, entry in enumerate(self.any):
            place: Loc = ("any", index)
            yield (*place, "value") if isinstance(entry, Branch) else place, self.values[index]

    def at(self, part: float) -> Any:
        """The value that lies a part of the way down the list, 0 <= part < 1."""
        return self.values[int(part * len(self.values))]


def _kind(value: Any) -> str:
    if isinstance(value, Choice) or (isinstance(value, dict) and "any" in value):
        return "choice"
    return "range"


Vary = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choice, Tag("choice")], Discriminator(_kind)
]
Branch.model_rebuild()
Choice.model_rebuild()
Space = Mapping[str, Range | Choice]


def label(value: Any) -> str:
    """A value of a choice as one line of JSON."""
    return json.dumps(value, sort_keys=True)


class Parameter(NamedTuple):
    """One thing that varies in one candidate.

    Args:
        name: The path, behind the values that it hangs on: ``stem.block=conv/stem.kernel``.
        path: Its dotted path into the spec.
        vary: The values that it takes.
        value: The one that it has.
    """

    name: str
    path: str
    vary: Range | Choice
    value: Any


def walk(
    vary: Space,
    choose: Callable[[str, str, Range | Choice], Any],
    prefix: str = "",
) -> Iterator[Parameter]:
    """Give each parameter of a candidate a value, those of the chosen values included.

    Args:
        vary: What varies.
        choose: Gives a value for a name, a path and what it may be.
        prefix: What the names begin with.
    """
    for path, each in vary.items():
        name = prefix + path
        value = choose(name, path, each)
        yield Parameter(name, path, each, value)
        if isinstance(each, Choice) and (inner := each.under(value)):
            yield from walk(inner, choose, _below(name, value))


def everything(vary: Space, prefix: str = "") -> dict[str, Range | Choice]:
    """All parameters by name, those of all values included."""
    found: dict[str, Range | Choice] = {}
    for path, each in vary.items():
        name = prefix + path
        found[name] = each
        if isinstance(each, Choice):
            for value in each.values:
                found |= everything(each.under(value), _below(name, value))
    return found


def _below(name: str, value: Any) -> str:
    """What the names of parameters under a value begin with: words without JSON's quotes."""
    said = label(value)
    if isinstance(value, str) and value.isidentifier() and value not in ("true", "false", "null"):
        said = value
    return f"{name}={said}/"


def values_at(vary: Space, part: Callable[[str], float]) -> dict[str, Any]:
    """One candidate's values by path.

    Args:
        vary: What varies.
        part: Gives for each parameter's name a number, 0 <= part < 1: how far up its values.
    """
    found = walk(vary, lambda name, _, each: each.at(part(name)))
    return {parameter.path: parameter.value for parameter in found}


def count(vary: Space) -> int | None:
    """How many combinations there are; None where there is no end of them."""
    sizes = [each.size for each in vary.values()]
    return None if None in sizes else math.prod(size or 0 for size in sizes)


def combination(vary: Space, index: int) -> dict[str, Any]:
    """One combination's values by path, from 0 to `count` - 1."""
    found: dict[str, Any] = {}
    for path, each in vary.items():
        index, here = divmod(index, each.size or 1)
        if isinstance(each, Range):
            found[path] = each.nth(here)
            continue
        for value, size in zip(each.values, each.sizes, strict=True):
            if here < (size or 0):
                found |= {path: value, **combination(each.under(value), here)}
                break
            here -= size or 0
    return found
