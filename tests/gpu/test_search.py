"""Searches on CUDA devices: how they are dealt, and what is left of their memory."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from archgen.study import search, trials

STUDY = """\
name: tiny
spec: pyramidnet_digits
vary:
  stages.width.alpha: {from: 8, to: 48}
score: {top1: maximize}
train: {data: digits, epochs: 3, batch: 128, lr: 0.05, precision: auto, memory_format: auto}
trials: 6
pruner: {kind: none}
"""


def test_workers_share_the_devices(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(STUDY)
    free = torch.cuda.mem_get_info(0)[0]
    count = torch.cuda.device_count()
    run = tmp_path / "run"
    outcome = search(tmp_path / "tiny.yaml", folder=run, device="cuda", workers=2 * count)
    assert (outcome.ending, outcome.trained) == ("complete", 6)
    (ran,) = json.loads((run / "environment.json").read_text())["runs"]
    assert ran["devices"] == [torch.cuda.get_device_name(index) for index in range(count)]
    assert ran["setting"]["precision"] in ("float32", "bfloat16")
    assert all(row.top1 is not None and row.top1 > 50 for row in trials(run) if row.trained)
    # Each candidate had a process of its own: its memory is given back.
    assert torch.cuda.mem_get_info(0)[0] > free - 64 * 2**20


def test_one_device_by_number(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(STUDY)
    outcome = search(tmp_path / "tiny.yaml", folder=tmp_path / "run", device="cuda:0", trials=2)
    assert outcome.trained == 2
