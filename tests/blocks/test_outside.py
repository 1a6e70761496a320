"""Blocks in a user's file, and blocks that an installed package offers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from archgen import ArchError, cost
from archgen.blocks import outside
from archgen.blocks.base import Block
from archgen.spec import parse

BLOCK = '''
from __future__ import annotations
from archgen.blocks.base import Activation, Narrow
from archgen.graph import Map

class Mine(Narrow, kind="mine_{n}"):
    """One 3x3."""
    act: Activation = "relu"
    def build(self, x: Map, out: int) -> Map:
        return x.conv("conv", out, 3).act(self.act)
'''
SPEC = "name: net\ninput: [3, 8, 8]\nnodes:\n  a: {{block: {}, width: 8}}\n"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    known = dict(Block.kinds)
    outside.load_installed.cache_clear()
    yield
    outside.load_installed.cache_clear()
    Block.kinds.clear()
    Block.kinds.update(known)


def test_a_file_is_executed_once(tmp_path: Path) -> None:
    path = tmp_path / "blocks.py"
    path.write_text(BLOCK.replace("{n}", "file"))
    outside.load_file(path)
    outside.load_file(str(path))
    assert cost(parse(SPEC.format("mine_file"))).params == 3 * 8 * 9


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\n1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("x = 1\n\ndef (\n", 3, "SyntaxError"),
        (BLOCK.replace("mine_{n}", "basic"), None, "two blocks are called 'basic'"),
        ("import nowhere_to_be_found\n", 1, "ModuleNotFoundError"),
    ],
)
def test_a_mistake_in_the_file_has_its_line(
    tmp_path: Path, text: str, line: int | None, message: str
) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(text)
    with pytest.raises(ArchError, match=message) as error:
        outside.load_file(path)
    assert error.value.file == str(path)
    assert line is None or error.value.line == line


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="no such file"):
        outside.load_file(tmp_path / "nothing.py")
    (tmp_path / "text.txt").write_text("x")
    with pytest.raises(ArchError, match=r"must end in \.py"):
        outside.load_file(tmp_path / "text.txt")


def test_packages_are_asked_only_for_an_unknown_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "offered_blocks.py").write_text(BLOCK.replace("{n}", "package"))
    monkeypatch.syspath_prepend(tmp_path)
    asked = []

    def offers(group: str) -> list[EntryPoint]:
        asked.append(group)
        return [EntryPoint("mine", "offered_blocks", group)]

    monkeypatch.setattr(outside, "entry_points", offers)
    parse(SPEC.format("conv_norm"))
    assert asked == []
    assert cost(parse(SPEC.format("mine_package"))).params == 3 * 8 * 9
    with pytest.raises(ArchError, match="no block 'other'"):
        parse(SPEC.format("other"))
    assert asked == ["archgen.blocks"]


def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("mine", "nowhere_to_be_found", outside.GROUP)
    monkeypatch.setattr(outside, "entry_points", lambda group: [broken])
    with pytest.raises(ArchError, match="nowhere_to_be_found cannot be imported"):
        parse(SPEC.format("other"))
