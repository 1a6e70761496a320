"""Without torch tests, torch is not even imported."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the file that imports torch."""
    skips = config.option.markexpr == "not torch" and collection_path.name == "test_bench.py"
    return True if skips else None
