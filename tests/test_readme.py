"""The commands, blocks and figures of the README and of docs/ are what they say.

Lines behind ``$`` in console blocks are run; what is shown below each is what it prints, where a
line ``...`` stands for any lines. Of the two set-up commands, ``.ci/run`` runs the one with the
tests; the search of the other is run below.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import archgen
from archgen import files, yamlfile
from archgen.study import load_study

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))


def blocks(language: str, page: Path = README) -> list[str]:
    """All code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.M | re.S)


def sessions(page: Path = README) -> list[tuple[str, str]]:
    """Each command of the console blocks with what is shown below it."""
    found = []
    for block in blocks("console", page):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


def squeeze(text: str) -> list[str]:
    """Lines without empty ones, spaces folded."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def without_numbers(lines: list[str]) -> list[str]:
    """What does not depend on the machine."""
    return [re.sub(r"-+", "-", re.sub(r"\d[\d.,]*", "0", line)) for line in lines]


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether the shown lines are the printed ones, ``...`` standing for any."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(matches(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and matches(shown[1:], printed[1:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it: the README's own files, and the specs."""
    home = tmp_path_factory.mktemp("readme")
    (home / "specs").symlink_to(files.library("specs"))
    (home / "ghost.py").write_text(next(b for b in blocks("python") if 'kind="ghost"' in b))
    (home / "broken.yaml").write_text(next(b for b in blocks("yaml") if "name: broken" in b))
    return home


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run archgen in a folder, as on a terminal of 100 columns."""
    return subprocess.run(
        [sys.executable, "-m", "archgen", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )


def runs_torch(command: str) -> bool:
    """Whether a command imports PyTorch."""
    return command.split()[1] in ("build", "train", "eval", "weights")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(
            c, s, id=f"{page.name}: {c}", marks=[pytest.mark.torch] if runs_torch(c) else []
        )
        for page in [README, *DOCS]
        for c, s in sessions(page)
        if c.split()[1] not in ("search", "best", "studies")
    ],
)
def test_a_command_prints_what_its_page_shows(command, shown, folder):
    program, *arguments = shlex.split(command)
    assert program == "archgen"
    if arguments == ["eval", "nets"] and not (folder / "nets").exists():
        trained = next(c for c, _ in sessions() if c.endswith("--out nets") and "train" in c)
        assert run(folder, *shlex.split(trained)[1:]).returncode == 0
    ran = run(folder, *arguments)
    printed, wanted = squeeze(ran.stdout + ran.stderr), squeeze(shown)
    if "nets" in arguments and arguments[0] in ("train", "eval"):
        printed, wanted = without_numbers(printed), without_numbers(wanted)
    assert matches(wanted, printed), "\n".join(printed)


def test_the_specs_and_the_study_are_the_shipped_ones():
    shown = [yamlfile.parse(block).value for block in blocks("yaml")]
    assert archgen.load("dpn131").data() | {"paper": None} in [v | {"paper": None} for v in shown]
    assert yamlfile.read(files.find("studies", "pyramid")).value in shown


def test_the_study_of_a_page_loads(tmp_path):
    (block,) = blocks("yaml", ROOT / "docs" / "fit.md")
    (tmp_path / "iso.yaml").write_text(block)
    assert load_study(tmp_path / "iso.yaml").keep["params"].by == "stages.width.alpha"


@pytest.mark.torch
def test_the_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        if "archgen.build" in block:
            namespace: dict[str, object] = {}
            exec(block, namespace)
            assert namespace["costs"].params == sum(
                p.numel() for p in namespace["model"].parameters()
            )
            return
    pytest.fail("no Python block builds a model")


@pytest.mark.torch
@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in blocks("python", page):
        exec(block, namespace)


def test_every_mixture_of_the_table_is_tested():
    from test_ingredients import MIXTURES

    rows = [
        line
        for line in README.read_text().splitlines()
        if line.startswith("| ") and "`specs/" in line
    ]
    lines = {re.findall(r"`([^`]*)`", row)[1] for row in rows}
    tested = {line.strip() for mixture in MIXTURES.values() for line in mixture.new.splitlines()}
    assert lines
    assert lines <= {re.sub(r"\s+", " ", line) for line in tested}


def test_no_placeholder_is_left():
    for page in [README, *DOCS]:
        assert not re.findall(r"^[A-Z_]{4,}$", page.read_text(), re.M)


@pytest.mark.torch
@pytest.mark.timeout(1800)
def test_the_first_search_ends_well(tmp_path):
    """The README's main job, all of it: minutes on a CPU."""
    ran = run(tmp_path, "search", "--space", "pyramid", "--json")
    assert ran.returncode == 0, ran.stderr
    outcome = json.loads(ran.stdout)
    assert (outcome["ending"], outcome["trained"]) == ("complete", 60)
    best = outcome["best"][0]
    assert best["scores"]["top1"] >= 97
    assert best["costs"]["params"] <= 200_000
    assert best["costs"]["macs"] <= 3_000_000
    shown = run(tmp_path, "best", "pyramid", "--out", "best.yaml")
    assert shown.returncode == 0, shown.stderr
    found = archgen.load(tmp_path / "best.yaml")
    assert archgen.cost(found).params == best["costs"]["params"]
