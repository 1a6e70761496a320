"""A searched study of any size without any training: its folder as a search leaves it.

Candidates are drawn by chance. Their costs and scores follow what varies, with some noise; they
are not those of the networks, but all networks build.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from archgen.analysis import COUNTED
from archgen.study import Row, Study, load_study, storage
from archgen.study.definition import violations
from archgen.study.judge import Judged, is_taken, row_of
from archgen.study.record import Record
from archgen.study.report import State
from archgen.study.sampler import params_of
from archgen.study.space import everything, label, values_at

STUDY = """\
name: drawn
spec: pyramidnet110_a48
vary:
  stages.width:
    any:
      - value: {kind: additive, start: 16, alpha: 48}
        vary: {stages.width.alpha: {from: 24, to: 120, step: 0.5}}
      - value: {kind: multiplicative, start: 16, alpha: 4}
        vary: {stages.width.alpha: {from: 2, to: 8, step: 0.015625}}
  stages.depth: {any: [[3, 3, 3], [6, 6, 6], [9, 9, 9], [12, 12, 12], [18, 18, 18]]}
  stages.shortcut.widen: {any: [zeros, conv]}
  stem.kernel: {any: [1, 3, 5, 7]}
keep:
  params: {max: 2e6}
score: {top1: maximize, params: minimize}
train: {data: cifar10, recipe: pyramidnet_cifar, epochs: 12, seed: 0}
trials: 10000
"""
EPOCHS = 12
ENDS: dict[State, int] = {"complete": 70, "pruned": 24, "diverged": 3, "memory": 2, "failed": 1}
"""How a training ends, in percent."""


def write_journal(folder: Path, trials: int, *, running: int = 4, seed: int = 0) -> Study:
    """Write the folder of `STUDY` with candidates drawn by chance.

    Args:
        folder: Empty, or made here.
        trials: Candidates in the journal, those beyond a limit and duplicates included.
        running: Of the last so many candidates, those that are trained are in training.
        seed: Decides all that is drawn.
    """
    with TemporaryDirectory() as place:
        file = Path(place) / "drawn.yaml"
        file.write_text(STUDY)
        study = load_study(file)
    with storage.owned(folder):
        storage.settle(folder, study)
        record = Record(study, folder)
        for row in islice(drawn(study, Random(seed)), trials):
            write(study, record, row, ends=row.number < trials - running)
    return study


def write(study: Study, record: Record, row: Row, *, ends: bool = True) -> None:
    """Write a candidate as a search does: when it is proposed, and when its training ends."""
    known = *params_of(study, row.vary), violations(study, row.costs)
    if row.state in ("infeasible", "duplicate"):
        record.add(row, *known)
        return
    record.add(Row(row.number, "running", row.vary, row.costs, row.digest), *known)
    if ends:
        record.end(row)


def drawn(study: Study, chance: Random) -> Iterator[Row]:
    """Draw candidates without end, all trained that a search would train."""
    taken: dict[str, Row] = {}
    for number in count():
        parts = {name: chance.random() for name in everything(study.vary)}
        vary = values_at(study.vary, parts.__getitem__)
        size = int(2.5e5 * math.exp(2.3 * sum(parts.values()) / len(parts)) * chance.uniform(1, 3))
        costs = dict.fromkeys(COUNTED, 100) | {"params": size, "macs": 70 * size}
        digest = blake2b(label(vary).encode(), digest_size=16).hexdigest()
        judged = Judged(vary, violations(study, costs), costs=costs, digest=digest)
        row = row_of(judged, number, [taken[digest]] if digest in taken else [])
        if row.state == "running":
            row = _trained(row, sum(parts.values()) / len(parts), chance)
        if is_taken(row):
            taken[digest] = row
        yield row


def _trained(row: Row, part: float, chance: Random) -> Row:
    """Train a candidate: the larger and the further up its values, the better."""
    [state] = chance.choices([*ENDS], [*ENDS.values()])
    if state in ("memory", "failed"):
        reason = "" if state == "memory" else "RuntimeError: the process was ended by signal 9"
        return replace(row, state=state, reason=reason)
    best = 60 + 5 * math.log10(row.costs["params"] / 1e5) + 20 * part + chance.gauss(0, 1.5)
    epochs = EPOCHS if state == "complete" else chance.randrange(2, EPOCHS)
    curve = [round(best * (1 - 0.6 * math.exp(-0.4 * n)), 2) for n in range(1, epochs + 1)]
    return replace(
        row, state=state, epochs=epochs, curve=tuple(curve), top1=curve[-1],
        loss=round(2.3 - curve[-1] / 45, 4), seconds=round(12.5 * epochs, 1),
        scores={"top1": curve[-1], "params": row.costs["params"]} if state == "complete" else {},
    )  # fmt: skip
