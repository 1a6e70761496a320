"""Without torch tests, torch is not even imported."""

from __future__ import annotations

from pathlib import Path

import pytest

NEED_TORCH = {
    "test_augment.py",
    "test_data.py",
    "test_device.py",
    "test_evaluate.py",
    "test_folder.py",
    "test_loop.py",
    "test_views.py",
    "test_memory.py",
    "test_resume.py",
    "test_setting.py",
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files that import torch."""
    skips = config.option.markexpr == "not torch" and collection_path.name in NEED_TORCH
    return True if skips else None
