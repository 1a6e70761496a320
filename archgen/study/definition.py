"""What a study is: what varies, what is kept, what scores, how it trains. No torch, no Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    model_validator,
)

from archgen.analysis import COUNTED
from archgen.errors import ArchError
from archgen.inverse import PERCENT, percent
from archgen.spec import Net
from archgen.study.space import CONFIG, Vary, count
from archgen.train.datasets import check_fit
from archgen.train.recipe import Recipe

Direction = Literal["maximize", "minimize"]

# What a network costs, by name, and what training gives; each may be a score. Bytes are those of
# one image, and counted only where a study asks for them.
COSTS = (*COUNTED, "saved_bytes", "peak_bytes")
TRAINED: dict[str, Direction] = {"top1": "maximize", "loss": "minimize"}


def _percentage(value: object) -> object:
    try:
        percent(str(value), "within")
    except ArchError as error:
        raise ValueError(error.message) from None
    return value


class Limit(BaseModel):
    """Bounds on a cost, both inclusive; or what it shall be, and the number that makes it so."""

    model_config = CONFIG
    max: float | None = Field(None, description="The most that a candidate may cost.")
    min: float | None = Field(None, description="The least that a candidate may cost.")
    equal: float | None = Field(
        None, gt=0, description="What every candidate shall cost, by the number that is solved for."
    )
    within: Annotated[str, Field(pattern=PERCENT), BeforeValidator(_percentage)] | None = Field(
        None, description="How far from that it may be: 2%."
    )
    by: str | None = Field(
        None, description="Dotted path of the number in the spec that is solved for."
    )

    @model_validator(mode="after")
    def _check(self) -> Limit:
        bounds, goal = (self.max, self.min), (self.equal, self.within, self.by)
        if any(part is not None for part in goal):
            if None in goal or bounds != (None, None):
                raise ValueError("give equal, within and by together, without max and min")
            return self
        if bounds == (None, None):
            raise ValueError("give max, min or both; or equal, within and by")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError(f"min {self.min} must not be above max {self.max}")
        return self

    @property
    def share(self) -> float:
        """How far from `equal` a cost may be, as a part of it."""
        return percent(self.within or "0%", "within")


class Sampler(BaseModel):
    """Who proposes.

    TPE (a model of what was good), a Gaussian process (gp: a model of the score itself, for few
    candidates that take long), NSGA-II (evolution), a Sobol sequence (qmc: spread evenly),
    uniform chance, or all combinations in a shuffled order (grid).
    """

    model_config = CONFIG
    kind: Literal["tpe", "nsga2", "gp", "qmc", "random", "grid"] = Field(
        "tpe", description="Who proposes."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Decides what is proposed.")


class Pruner(BaseModel):
    """When a candidate is given up: by the median of others, or by successive halving.

    Where a cost is a score too, it is compared only with those that are no worse in it.
    """

    model_config = CONFIG
    kind: Literal["median", "halving", "none"] = Field(
        "median",
        description="The rule: median gives up what is behind the median of the complete ones "
        "at the same epoch; halving goes on with the best 1/eta of all that came to a rung.",
    )
    startup: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Candidates to compare with before one may be given up.",
    )
    warmup: int = Field(2, ge=0, le=10_000, description="Epochs before one may be given up.")
    eta: int = Field(
        3,
        ge=2,
        le=100,
        description="Of halving: the first rung is the epoch behind the warm-up, each next one "
        "eta times as far.",
    )


class Study(BaseModel):
    """A study file. `load_study` makes one that is checked against its spec."""

    model_config = CONFIG
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
    weights: int = Field(
        3, ge=1, le=10_000, description="How many of the best candidates keep their weights."
    )

    _net: Net | None = PrivateAttr(None)
    _changes: tuple[str, ...] = PrivateAttr(())
    _root: Path | None = PrivateAttr(None)
    _searched: bool = PrivateAttr(False)

    @property
    def net(self) -> Net:
        """The spec as it stands, made to fit the data, before anything varies.

        Raises:
            ArchError: The study is from neither `load_study` nor `read_study`.
        """
        if self._net is None:
            raise ArchError("", f"study {self.name!r} has no spec: load the study with load_study")
        return self._net

    @property
    def changes(self) -> tuple[str, ...]:
        """What was changed in the spec to make it fit the data, a sentence each."""
        return self._changes

    @property
    def size(self) -> int | None:
        """How many combinations there are, before `keep`; None where there is no end of them."""
        return count(self.vary)

    @property
    def counted(self) -> tuple[str, ...]:
        """The costs that are counted of each candidate: those asked for, and the cheap ones."""
        asked = {*self.keep, *self.score}
        return tuple(name for name in COSTS if name in COUNTED or name in asked)

    @property
    def watched(self) -> str:
        """The first score that training gives: what pruning looks at."""
        return next(name for name in self.score if name in TRAINED)

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
    classes = net.graph().classes
    if not study._searched:
        check_fit(study.train.data, net.input, classes, study._root)
    return net


def violations(study: Study, costs: Mapping[str, float]) -> dict[str, float]:
    """How far a candidate is over each limit, as a part of the limit; at most 0 where it is not.

    Args:
        study: Its `keep` is asked.
        costs: The candidate's, by name; empty if it does not build, which ``builds`` tells.
    """
    found = {"builds": 0.0 if costs else 1.0}
    for name, limit in study.keep.items():
        for bound, at in (("max", limit.max), ("min", limit.min)):
            if at is None:
                continue
            over = (costs[name] - at) / max(abs(at), 1.0) if costs else 0.0
            found[f"{name}.{bound}"] = over if bound == "max" else -over
        if limit.equal is not None:
            off = abs(costs[name] / limit.equal - 1) if costs else 0.0
            found[f"{name}.equal"] = off - limit.share
    return found
