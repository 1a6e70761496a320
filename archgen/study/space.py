"""What a study is: what varies, what is kept, what scores, how it trains. No torch, no Optuna."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from random import Random
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    model_validator,
)

from archgen.analysis import Cost
from archgen.errors import ArchError
from archgen.spec import Net
from archgen.train.datasets import check_fit
from archgen.train.recipe import Recipe
from archgen.yamlfile import Loc

Number = int | float
Direction = Literal["maximize", "minimize"]

# What a network costs, by name, and what training gives; each may be a score.
COSTS = tuple(f.name for f in fields(Cost) if f.type in (int, "int"))
TRAINED: dict[str, Direction] = {"top1": "maximize", "loss": "minimize"}

_config = ConfigDict(
    frozen=True,
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    populate_by_name=True,
    serialize_by_alias=True,
)


class Range(BaseModel):
    """Numbers from one end to the other: whole ones where all that is given is whole."""

    model_config = _config
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

    def draw(self, chance: Random) -> Any:
        """One value at random."""
        if self.log:
            value = math.exp(chance.uniform(math.log(self.from_), math.log(self.to)))
            return round(value) if self.whole else value
        if self.size is None:
            return chance.uniform(self.from_, self.to)
        return self.from_ + chance.randrange(self.size) * (self.step or 1)


class Choice(BaseModel):
    """One of some values of any kind: numbers, words, lists, maps."""

    model_config = _config
    any: list[Any] = Field(min_length=2, max_length=1000, description="The values.")

    @model_validator(mode="after")
    def _check(self) -> Choice:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("each choice must stand there once")
        return self

    @property
    def labels(self) -> list[str]:
        """Each value as one line of JSON."""
        return [json.dumps(value, sort_keys=True) for value in self.any]

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.any)

    def ends(self) -> Iterator[tuple[Loc, Any]]:
        """The values that must build, each with its place in the file."""
        for index, value in enumerate(self.any):
            yield ("any", index), value

    def draw(self, chance: Random) -> Any:
        """One value at random."""
        return chance.choice(self.any)


def _kind(value: Any) -> str:
    if isinstance(value, Choice) or (isinstance(value, dict) and "any" in value):
        return "choice"
    return "range"


Vary = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choice, Tag("choice")], Discriminator(_kind)
]


class Limit(BaseModel):
    """Bounds on a cost, both inclusive."""

    model_config = _config
    max: float | None = Field(None, description="The most that a candidate may cost.")
    min: float | None = Field(None, description="The least that a candidate may cost.")

    @model_validator(mode="after")
    def _check(self) -> Limit:
        if self.max is None and self.min is None:
            raise ValueError("give max, min or both")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError(f"min {self.min} must not be above max {self.max}")
        return self


class Sampler(BaseModel):
    """Who proposes: TPE (a model of what was good), uniform chance, or NSGA-II (evolution)."""

    model_config = _config
    kind: Literal["tpe", "random", "nsga2"] = Field("tpe", description="Who proposes.")
    seed: int = Field(0, ge=0, lt=2**31, description="Decides what is proposed.")


class Pruner(BaseModel):
    """When a candidate is given up: behind the median of the others at the same epoch.

    Where a cost is a score too, it is compared only with those that are no worse in it.
    """

    model_config = _config
    kind: Literal["median", "none"] = Field("median", description="The rule, or none.")
    startup: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Complete candidates to compare with before one may be given up.",
    )
    warmup: int = Field(2, ge=0, le=10_000, description="Epochs before one may be given up.")


class Study(BaseModel):
    """A study file. `load_study` makes one that is checked against its spec."""

    model_config = _config
    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,63}$", description="Names the folder of its results."
    )
    spec: str = Field(
        description="A spec: a path relative to the study file, or the name of a shipped one."
    )
    vary: dict[str, Vary] = Field(
        min_length=1,
        max_length=100,
        description="Dotted paths into the spec, each with the values that it takes.",
    )
    keep: dict[str, Limit] = Field({}, description="Limits on exact costs, by cost.")
    score: dict[str, Direction] = Field(
        min_length=1, max_length=2, description="One or two scores and which way is better."
    )
    train: Recipe = Field(Recipe(), description="How each candidate is trained.")
    sampler: Sampler = Field(Sampler(), description="Who proposes candidates.")
    trials: int = Field(ge=1, le=1_000_000, description="How many candidates are trained.")
    pruner: Pruner = Field(Pruner(), description="When a candidate is given up.")

    _net: Net | None = PrivateAttr(None)

    @property
    def net(self) -> Net:
        """The spec as it stands, before anything varies.

        Raises:
            ArchError: The study is not from `load_study`.
        """
        if self._net is None:
            raise ArchError("", f"study {self.name!r} has no spec: load the study with load_study")
        return self._net

    @property
    def size(self) -> int | None:
        """How many combinations there are, before `keep`; None where there is no end of them."""
        sizes = [vary.size for vary in self.vary.values()]
        return None if None in sizes else math.prod(size or 0 for size in sizes)

    def data(self) -> dict[str, Any]:
        """The study as plain data with all defaults filled in."""
        return self.model_dump(mode="json", exclude_none=True)


def candidate(study: Study, values: Mapping[str, Any]) -> Net:
    """The spec with some values in their places: a candidate, or any part of one.

    Raises:
        ArchError: The spec refuses a value, its parts do not fit together, or it does not fit
            the data that it would be trained on.
    """
    net = study.net.set(values)
    check_fit(study.train.data, net.input, net.graph().classes)
    return net


def violations(study: Study, paid: Cost | None) -> dict[str, float]:
    """How far a candidate is over each limit, as a part of the limit; at most 0 where it is not.

    Args:
        study: Its `keep` is asked.
        paid: What the candidate costs; None if it does not build, which ``builds`` tells.
    """
    found = {"builds": 1.0 if paid is None else 0.0}
    for name, limit in study.keep.items():
        for bound, at in (("max", limit.max), ("min", limit.min)):
            if at is None:
                continue
            over = 0.0
            if paid is not None:
                over = (getattr(paid, name) - at) / max(abs(at), 1.0)
            found[f"{name}.{bound}"] = over if bound == "max" else -over
    return found
