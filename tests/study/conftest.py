"""A spec and a study so small that a candidate trains in a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archgen import yamlfile

SPEC = """\
name: small
input: [1, 8, 8]
nodes:
  stem: {block: conv_norm, width: 4, kernel: 3, stride: 2}
  head: {block: pool_linear, classes: 10}
"""
STUDY = """\
name: tiny
spec: small.yaml
vary:
  stem.width: {from: 2, to: 9}
  stem.kernel: {any: [1, 3]}
keep:
  params: {max: 170}
score: {top1: maximize}
train: {data: digits, epochs: 2, batch: 256, lr: 0.1, seed: 0}
sampler: {kind: random, seed: 0}
trials: 4
"""

Write = Callable[..., Path]


NEED_TORCH = {"test_search.py", "test_faults.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without torch tests, do not even import torch."""
    skips = config.option.markexpr == "not torch" and collection_path.name in NEED_TORCH
    return True if skips else None


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the small spec and the tiny study, some of its top-level keys replaced."""

    def written(text: str = STUDY, **keys: Any) -> Path:
        (tmp_path / "small.yaml").write_text(SPEC)
        path = tmp_path / "tiny.yaml"
        path.write_text(yamlfile.dump(yamlfile.parse(text).value | keys) if keys else text)
        return path

    return written
