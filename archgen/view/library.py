"""What ships with archgen, as rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from archgen import files
from archgen.analysis import cost
from archgen.ops import Shape
from archgen.spec import Net, load

Nets: TypeAlias = Callable[[str], Net]
"""Gives a shipped network by its name: `load`, or something that keeps what it loads."""


@dataclass(frozen=True)
class SpecRow:
    """A spec of the library.

    Args:
        name: Its name.
        input: Channels, height and width.
        params: Learned scalars.
        macs: Multiply-accumulates for one image.
        depth: Convolutions and linear layers on the longest path.
        title: The paper's title.
        arxiv: The paper's number; may be empty.
    """

    name: str
    input: Shape
    params: int
    macs: int
    depth: int
    title: str
    arxiv: str


@dataclass(frozen=True)
class StudyRow:
    """A study of the library.

    Args:
        name: Its name.
        spec: The spec that it varies.
        vary: Dotted paths of what varies.
        size: Combinations before the limits; None where there is no end of them.
        trials: Candidates that it trains.
        score: What is optimised, and which way.
    """

    name: str
    spec: str
    vary: tuple[str, ...]
    size: int | None
    trials: int
    score: Mapping[str, str]


def spec_rows(pattern: str = "") -> list[SpecRow]:
    """List the specs of the library with their costs.

    Args:
        pattern: Part of a name, or a pattern with ``*`` and ``?``.

    Raises:
        ArchError: A spec of the library is damaged.
    """
    rows = []
    for name in matching(files.names("specs"), pattern):
        net = load(name)
        counts = cost(net)
        title, arxiv = (net.paper.title, net.paper.arxiv or "") if net.paper else ("", "")
        rows.append(
            SpecRow(name, net.input, counts.params, counts.macs, counts.depth, title, arxiv)
        )
    return rows


def study_rows(pattern: str = "") -> list[StudyRow]:
    """List the studies of the library; `pattern` as in `spec_rows`.

    Raises:
        ArchError: A study of the library is damaged.
    """
    from archgen.study import load_study

    rows = []
    for name in matching(files.names("studies"), pattern):
        study = load_study(name)
        vary, score = tuple(study.vary), study.score
        rows.append(StudyRow(name, study.spec, vary, study.size, study.trials, score))
    return rows


def matching(names: list[str], pattern: str) -> list[str]:
    """Give the names that match, ordered as people count (``resnet18`` before ``resnet101``)."""
    wild = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    return sorted((name for name in names if fnmatchcase(name, wild)), key=_counting)


def _counting(name: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
