"""A spec and a study so small that a candidate trains in a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from digits_search import SPEC, STUDY

from archgen import yamlfile

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the small spec and the tiny study, some of its top-level keys replaced."""

    def written(text: str = STUDY, **keys: Any) -> Path:
        (tmp_path / "small.yaml").write_text(SPEC)
        path = tmp_path / "tiny.yaml"
        path.write_text(yamlfile.dump(yamlfile.parse(text).value | keys) if keys else text)
        return path

    return written
