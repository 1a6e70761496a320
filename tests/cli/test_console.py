from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from archgen.cli.console import lay_out, one_line, print_json

ROWS = [("stem", "a long name of a block", 12), ("head", "short", 1234567)]


def test_columns_are_as_wide_as_their_texts() -> None:
    assert lay_out(["path", "block", ">params"], ROWS) == [
        "path  block                    params",
        "----- ----------------------- -------",
        "stem  a long name of a block       12",
        "head  short                   1234567",
    ]


def test_elastic_columns_give_way_and_no_other() -> None:
    lines = lay_out(["path", "block", ">params"], ROWS, elastic=["block"], width=26)
    assert lines[2] == "stem  a long nam…       12"
    assert max(map(len, lines)) == 26
    narrow = lay_out(["path", "block", ">params"], ROWS, elastic=["block"], width=3)
    assert narrow[2] == "stem  a lon…       12"
    assert lay_out(["path", "block"], [r[:2] for r in ROWS], width=3)[2].endswith("of a block")


def test_no_rows() -> None:
    assert lay_out(["a", ">b"], []) == ["a  b", "-- -"]


def test_cells_stay_on_their_line() -> None:
    assert lay_out(["a"], [("x\ny\x1b[31m",)])[2] == r"x\ny\x1b[31m"


@pytest.mark.parametrize(
    ("text", "line"),
    [("plain é", "plain é"), ("a\tb\0\x9b", r"a\tb\x00\x9b"), ("\u202e", r"\u202e")],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_json_of_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass
    class Row:
        path: Path
        shape: tuple[int, ...]

    print_json([Row(Path("a/b"), (1, 2))])
    assert json.loads(capsys.readouterr().out) == [{"path": "a/b", "shape": [1, 2]}]
    with pytest.raises(TypeError):
        print_json({"x": object()})
    with pytest.raises(ValueError):
        print_json(math.nan)
