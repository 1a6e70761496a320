"""Imports point one way, and PyTorch, Optuna and the like stay behind the wall."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import archgen

ROOT = Path(archgen.__file__).parent
LAYERS = [
    ["errors", "precision"],
    ["ops", "columns", "yamlfile", "files"],
    ["graph"],
    ["blocks", "passes"],
    ["joins"],
    ["spec"],
    ["inplace"],
    ["regions"],
    ["order"],
    ["forward"],
    ["analysis"],
    ["latency"],
    ["codegen"],
    ["inverse"],
    ["train.datasets", "train.recipes", "train.result"],
    ["train.recipe"],
    ["nn"],
    ["export"],
    ["export.load"],
    ["train"],
    ["bench"],
    ["study"],
    ["view"],
    ["report"],
    ["explorer"],
    ["cli"],
    ["__main__"],
]
"""Who may import whom: only what stands in a line above, and oneself."""
RANKS = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}

HOMES = {
    "torch": (["nn", "export.load", "train", "bench"], ["cli", "study"]),
    "safetensors": (["nn"], ["study", "train"]),
    "typer": (["cli"], []),
    "rich": ([], ["cli"]),
    "optuna": ([], ["study", "report"]),
    "sklearn": ([], ["train"]),
    "torchvision": ([], ["train"]),
    "timm": ([], ["bench"]),
    "onnx": ([], ["bench"]),
    "onnxruntime": ([], ["bench"]),
    "onnxscript": ([], ["bench"]),
    "scipy": ([], ["study"]),
    "networkx": ([], ["graph", "analysis"]),
    "numpy": (["train"], ["analysis"]),
    "streamlit": ([], []),
    "plotly": ([], ["report"]),
    "yaml": (["yamlfile"], []),
    "pydantic": (
        [
            "columns",
            "blocks",
            "joins",
            "spec",
            "latency",
            "study",
            "train.datasets",
            "train.recipe",
            "explorer",
        ],
        ["cli"],
    ),
}
"""Libraries, with the units that may import them, and those that may inside functions only."""


class Import(NamedTuple):
    file: str
    line: int
    target: str
    deferred: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.target}"


def unit_of(module: str) -> str:
    """Give the longest unit that a dotted name below archgen is in; "" for archgen itself."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in RANKS:
            return ".".join(parts[:end])
    return ""


def exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert not node.level, "imports are absolute"
    for alias in node.names:
        below = f"{node.module}.{alias.name}".removeprefix("archgen.")
        inside = (node.module or "").split(".")[0] == "archgen" and exists(below)
        yield f"archgen.{below}" if inside else str(node.module)


def walk(node: ast.AST, deferred: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Visit all but what stands under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        inner = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield child, deferred
        yield from walk(child, inner)


@cache
def imports() -> dict[str, list[Import]]:
    """Find all imports of the package, by the module that has them."""
    found: dict[str, list[Import]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in ("specs", "studies", "app"):
            continue
        module = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
        found[module] = [
            Import(str(relative), child.lineno, target, deferred)
            for child, deferred in walk(ast.parse(path.read_text()))
            if isinstance(child, ast.Import | ast.ImportFrom)
            for target in targets(child)
        ]
    return found


def test_every_module_has_a_place():
    homeless = [m for m in imports() if m != "__init__" and not unit_of(m)]
    assert not homeless, "name them in LAYERS"
    missing = [unit for unit in RANKS if not exists(unit)]
    assert not missing, "in LAYERS, but not there"


def test_imports_point_one_way():
    wrong = []
    for module, found in imports().items():
        if module == "__init__":
            continue
        here = unit_of(module)
        for each in found:
            top, _, below = each.target.partition(".")
            if top != "archgen":
                continue
            there = unit_of(below)
            # archgen itself is the face of all: only the command line looks at it.
            allowed = here in ("cli", "__main__") if not there else RANKS[there] < RANKS[here]
            if there != here and not allowed:
                wrong.append(str(each))
    assert not wrong


@pytest.mark.parametrize("library", HOMES)
def test_libraries_are_imported_only_at_home(library: str):
    at_top, in_functions = HOMES[library]
    wrong = [
        str(each)
        for module, found in imports().items()
        for each in found
        if each.target.split(".")[0] == library
        and unit_of(module) not in (at_top + in_functions * each.deferred)
    ]
    assert not wrong


def test_no_other_library_is_imported():
    known = {*HOMES, *sys.stdlib_module_names, "archgen"}
    others = {each.target.split(".")[0] for found in imports().values() for each in found} - known
    assert not others


@pytest.mark.parametrize(
    "code",
    [
        "import archgen",
        "import archgen.cli, archgen.cli.commands",
        "import archgen.view, archgen.study, archgen.report, archgen.train, archgen.spec.schema",
        "import archgen as a; n = a.load('dpn92'); a.cost(n); a.source(n); n.digest(); n.dump()",
        "import archgen as a; a.fit(a.load('resnet18'), 'params', 5e6, ['stages.width.3'])",
        "from archgen.study import load_study; load_study('pyramid')",
        "from archgen.explorer import launch as s; s.checked(s.written('mixed'), {}); s.running()",
        "from archgen.explorer import Shown, compared, entries as e, overlaid, presets, ratios; "
        "found = e.labelled([e.entry(Shown.read(w)) for w in presets.PRESETS[1].words()]);"
        "compared.figure_rows(found); ratios.ratios(found)",
        "from archgen import load, latency as l; from archgen.bench.samples import SAMPLES;"
        " l.calibrated(); l.works(load('dpn92').graph(), 1, 1); SAMPLES[0].net()",
        "from archgen import load, view; n = load('dpn68'); view.compare(n, n); view.cost_row(n)",
        "from archgen import analysis as a, load; n = load('dpn92'); "
        "a.receptive_field(n); a.parallelism(n); a.saved_bytes(n)",
        "import archgen as a; from archgen.export import advice, fit;"
        " advice.complaint(fit.fit(a.load('drn_a_50'), {'fc.bias': (9,)}), {'fc.bias': (9,)})",
    ],
)
def test_the_wall(code: str):
    """A fresh process that needs no torch imports none, and nothing else that is slow."""
    heavy = "torch optuna streamlit plotly networkx sklearn numpy pandas safetensors".split()
    check = f"{code}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", check], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"


def test_commands_start_before_specs_are_known():
    """Half of the time until ``--help`` would go into pydantic and the blocks."""
    code = "import archgen.cli.commands, sys; print({'archgen.spec', 'pydantic'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_search_is_there_on_demand():
    assert archgen.search.__module__.startswith("archgen.study")
    with pytest.raises(AttributeError, match="no attribute 'biuld'"):
        archgen.biuld  # noqa: B018
