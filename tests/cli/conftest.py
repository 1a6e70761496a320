"""The commands: run in this process where that is faithful, else as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archgen.cli.commands import app

Run = Callable[..., Result]
Shell = Callable[..., subprocess.CompletedProcess[str]]

SPEC = """\
name: small
input: [1, 8, 8]
nodes:
  stem:   {block: conv_norm, width: 4}
  stages: {block: basic, depth: [1, 1], width: [4, 8], stride: [1, 2], shortcut: projection}
  head:   {block: pool_linear, classes: 10}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of the terminal's that changes what is printed."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def small(here: Path) -> Path:
    """A spec that builds in no time."""
    path = here / "small.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def run(here: Path) -> Run:
    """Run a command in this process."""
    runner = CliRunner()
    return lambda *args: runner.invoke(app, [str(arg) for arg in args], prog_name="archgen")


@pytest.fixture
def shell(here: Path) -> Shell:
    """Run a command as a process."""

    def call(*args: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "archgen", *map(str, args)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=here, env=env, timeout=300, **kwargs
        )  # type: ignore[call-overload, no-any-return]

    return call
