"""The wheel carries specs, studies and the app, and works alone in an empty folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archgen import files

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, built from this checkout with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (archive,) = folder.glob("*.whl")
    zipfile.ZipFile(archive).extractall(folder / "unpacked")
    return folder / "unpacked"


def run(wheel: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run archgen from the wheel alone; ``-P`` keeps the checkout off the path."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "archgen", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
    )


def test_the_wheel_has_specs_studies_and_app_but_no_results(wheel):
    packed = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    for kind in ("specs", "studies"):
        assert {f"archgen/{kind}/{name}.yaml" for name in files.names(kind)} <= packed
    app = ("main.py", "page.css", "editor.js", "diagram.js", "editor.css", ".streamlit/config.toml")
    assert {f"archgen/app/{name}" for name in app} <= packed
    assert "archgen/py.typed" in packed
    assert not [name for name in packed if "/runs/" in name or "test" in name.split("/")[0]]


def test_an_empty_folder_lists_and_shows_by_name(wheel, tmp_path):
    listed = run(wheel, tmp_path, "list", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = json.loads(listed.stdout)
    assert {"dpn131", "pyramid"} <= {row["name"] for kind in rows.values() for row in kind}
    shown = run(wheel, tmp_path, "show", "dpn131")
    assert shown.returncode == 0, shown.stderr
    assert "79,254,504" in shown.stdout
    assert list(tmp_path.iterdir()) == []
