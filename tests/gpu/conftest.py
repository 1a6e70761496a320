"""What only a GPU can show: `pytest -m gpu`. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of this folder, and skip it where no CUDA device is."""
    import torch

    found = torch.cuda.is_available()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            item.add_marker(pytest.mark.torch)
            if not found:
                item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))
