"""Every kind of bad input: one clear line, exit status 1, nothing written, torch not loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

HEAD = "name: net\ninput: [3, 32, 32]\nnodes:\n"


def nodes(*lines: str) -> str:
    return HEAD + "".join(f"  {line}\n" for line in lines)


STACK = "stages: {{block: bottleneck, depth: [1, 1], width: [8, 16], stride: [1, 2], {}}}"
LINEAR = "head: {block: pool_linear, classes: 10}"
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghi")
)

TEXTS: dict[str, tuple[str | bytes, int | None, list[str]]] = {
    "unknown block": (
        nodes("stem: {block: conv_nrom, width: 8}"), 4, ["nodes.stem.block", "'conv_norm'"],
    ),
    "unknown key of a block": (
        nodes("stem: {block: conv_norm, widht: 8}"), 4, ["nodes.stem.widht", "'width'"],
    ),
    "unknown top-level key": (
        "nmae: x\n" + nodes(LINEAR), 1, ["nmae", "did you mean 'name'"],
    ),
    "unknown join": (
        nodes(STACK.format("shortcut: {join: dul}")), 4, ["nodes.stages.shortcut.join", "'dual'"],
    ),
    "unknown shorthand": (
        nodes(STACK.format("shortcut: projecton")), 4, ["nodes.stages.shortcut", "'projection'"],
    ),
    "unknown key of a join": (
        nodes(STACK.format("shortcut: {join: dual, gorw: 3}")), 4,
        ["nodes.stages.shortcut.gorw", "'grow'"],
    ),
    "unknown schedule": (
        nodes(STACK.format("out: {kind: aditive, start: 1, alpha: 2}")), 4,
        ["nodes.stages.out.kind", "'additive'"],
    ),
    "unknown initialisation": (
        "init: {conv: he}\n" + nodes(LINEAR), 1, ["init.conv", "'he_fan_out'"],
    ),
    "width not divisible by groups": (
        nodes(STACK.format("groups: 3")), 4, ["stages.0.0.spatial", "8 -> 8", "3 groups"],
    ),
    "shapes that do not add": (
        nodes("a: {block: conv_norm, width: 8}", "b: {block: conv_norm, width: 9}",
              "c: {block: sum, from: [a, b]}"), 6, ["8x32x32 and 9x32x32"],
    ),
    "a size that reaches zero": (
        HEAD + "  stages: {block: dense_layer, depth: [1, 1, 1, 1, 1, 1, 1],"
        " shortcut: {join: concat, grow: 4}, between: {block: transition}}\n", 4,
        ["1x1 map is too small"],
    ),
    "cyclic from": (
        nodes("a: {block: conv_norm, width: 8, from: b}", "b: {block: conv_norm, width: 8}"), 4,
        ["nodes.a.from", "'b'", "there are input"],
    ),
    "a node that reads itself": (
        nodes("a: {block: conv_norm, width: 8, from: a}"), 4, ["nodes.a.from", "'a'"],
    ),
    "dangling from": (
        nodes("a: {block: conv_norm, width: 8, from: at9}"), 4, ["nodes.a.from", "no node 'at9'"],
    ),
    "dangling output": ("outputs: [tail]\n" + nodes(LINEAR), 1, ["outputs", "no node 'tail'"]),
    "dead weights": (
        nodes("a: {block: conv_norm, width: 8}", "b: {block: conv_norm, width: 8, from: input}"),
        4, ["nothing reads its result"],
    ),
    "text for a number": (nodes("a: {block: conv_norm, width: wide}"), 4, ["a.width", "'wide'"]),
    "truth value for a number": (nodes("a: {block: conv_norm, width: true}"), 4, ["a.width"]),
    "fraction for a whole number": (nodes("a: {block: conv_norm, width: 1.5}"), 4, ["a.width"]),
    "negative number": (nodes("a: {block: conv_norm, width: -8}"), 4, ["a.width", "-8"]),
    "zero": (nodes("a: {block: conv_norm, width: 0}"), 4, ["a.width", "0"]),
    "huge number": (nodes(f"a: {{block: conv_norm, width: {10**30}}}"), 4, ["a.width"]),
    "not a number": (nodes("a: {block: conv_norm, width: 8, eps: .nan}"), 4, ["a.eps"]),
    "infinite number": (nodes("a: {block: conv_norm, width: 8, eps: .inf}"), 4, ["a.eps"]),
    "even kernel": (nodes("a: {block: conv_norm, width: 8, kernel: 2}"), 4, ["a.kernel", "odd"]),
    "wrong length of a column": (
        nodes("a: {block: basic, depth: [1, 1], width: [8, 8, 8]}"), 4, ["nodes.a.width", "3"],
    ),
    "nothing in it": ("", 1, ["empty"]),
    "only a comment": ("# nothing\n", 1, ["empty"]),
    "a list": ("- 1\n", 1, ["a spec is a mapping"]),
    "no nodes": ("name: net\ninput: [3, 8, 8]\n", None, ["nodes", "required"]),
    "duplicate keys": (nodes(LINEAR) + "name: other\n", 5, ["name", "given twice"]),
    "broken YAML": (HEAD + "  a: {block: conv\n", None, ["not valid YAML"]),
    "tab for indentation": (HEAD + "\ta: 1\n", 4, ["tab"]),
    "YAML bomb": (BOMB + nodes(LINEAR), None, ["more than 20,000 values"]),
    "deep nesting": ("a: " + "[" * 5000 + "]" * 5000, 1, ["nested deeper"]),
    "Python object": ("name: !!python/object/apply:os.system [ls]\n", 1, ["tag"]),
    "two documents": (nodes(LINEAR) + "---\na: 1\n", None, ["second document"]),
    "binary": (bytes(range(256)) * 8, None, []),
    "other encoding": ("name: é\n".encode("utf-16"), None, []),
    "a module's attribute as a name": (
        nodes("forward: {block: pool_linear}"), 4, ["'forward'", "torch.nn.Module"],
    ),
    "a keyword as a name": (nodes("class: {block: pool_linear}"), 4, ["'class'", "keyword"]),
    "a name that leaves the folder": (
        "name: ../../evil\ninput: [3, 8, 8]\nnodes:\n  " + LINEAR, 1, ["../../evil"],
    ),
    "an absolute name": ("name: /etc/evil\ninput: [3, 8, 8]\nnodes:\n  " + LINEAR, 1, ["/etc"]),
    "too many blocks": (nodes("a: {block: basic, width: 8, depth: 100000}"), 4, ["a.depth"]),
}  # fmt: skip


@pytest.fixture
def refused(run, here: Path) -> Callable[..., str]:
    """Run a command that must refuse; give its one line."""

    def call(*args: object) -> str:
        before = sorted(here.rglob("*"))
        had_torch = "torch" in sys.modules
        result = run(*args)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        assert len(line) < 1000
        assert line.isprintable()
        assert sorted(here.rglob("*")) == before
        assert had_torch or "torch" not in sys.modules
        return line

    return call


@pytest.mark.parametrize("case", TEXTS.values(), ids=TEXTS)
def test_bad_specs(
    refused: Callable[..., str], here: Path, case: tuple[str | bytes, int | None, list[str]]
) -> None:
    text, number, parts = case
    (here / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    line = refused("check", "bad.yaml")
    place = "error: bad.yaml:" if number is None else f"error: bad.yaml:{number}: "
    assert line.startswith(place)
    for part in parts:
        assert part in line
    assert refused("show", "bad.yaml") == line
    assert refused("build", "bad.yaml", "--out", "nets") == line
    assert refused("train", "bad.yaml", "--out", "nets") == line


def test_files_that_are_none(refused: Callable[..., str], here: Path) -> None:
    assert "no such file" in refused("build", "nowhere.yaml")
    assert "there is no folder" in refused("build", "no/where.yaml")
    assert "did you mean 'resnet50'" in refused("build", "resnet51")
    (here / "folder.yaml").mkdir()
    assert "a directory" in refused("build", "folder.yaml")
    with (here / "large.yaml").open("wb") as stream:
        stream.truncate(100 << 20)
    assert "large.yaml" in refused("build", "large.yaml")


STUDY = """\
name: tiny
spec: small.yaml
vary:
  stem.width: {from: 2, to: 9}
keep: {params: {max: 1400}}
score: {top1: maximize}
train: {data: digits, epochs: 2}
trials: 2
"""
STUDIES = {
    "a path that is none": ("stem.width", "stem.widht", 4, "'width'"),
    "an end that does not build": ("from: 2", "from: 0", 4, "0 does not build"),
    "an end before its start": ("to: 9", "to: 1", 4, "must be below"),
    "a misspelt key": ("trials", "tirals", 8, "'trials'"),
    "an unknown cost": ("params", "parms", 5, "'params'"),
    "an unknown score": ("top1", "top2", 6, "'top1'"),
    "an unknown spec": ("small.yaml", "samll.yaml", 2, "no such file"),
    "an unknown data set": ("digits", "cats", 7, "there are: cifar10, cifar100, digits"),
    "a name that leaves the folder": ("name: tiny", "name: ../tiny", 1, "name"),
}


@pytest.mark.parametrize("case", STUDIES.values(), ids=STUDIES)
def test_bad_studies(
    refused: Callable[..., str], small: Path, here: Path, case: tuple[str, str, int, str]
) -> None:
    old, new, number, part = case
    (here / "tiny.yaml").write_text(STUDY.replace(old, new))
    line = refused("search", "--space", "tiny.yaml")
    assert line.startswith(f"error: tiny.yaml:{number}: ")
    assert part in line
