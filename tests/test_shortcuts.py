"""The replication's table: parameters to the unit, memory to what its GPU adds."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from archgen.analysis import cost, saved_bytes

SCRIPT = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "shortcuts.py"))
ROWS = SCRIPT["rows"]()
SAVED = [194_549_120, 288_994_688, 1_031_121_504, 488_159_360, 1_023_375_488, 4_916_329_824]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}-{row.units}")
def test_parameters_are_theirs_and_memory_nearly(row):
    assert cost(row.graph).params == row.params
    assert saved_bytes(row.graph, 128) / 1e9 == pytest.approx(row.gigabytes, rel=0.03)


def test_what_is_printed(capsys):
    SCRIPT["main"]()
    lines = capsys.readouterr().out.splitlines()
    assert [saved_bytes(row.graph, 128) for row in ROWS] == SAVED
    assert lines[-2:] == [
        "8  DSNet     778,212  778,212   1.023    1.02   2.1     2.1",
        "8  DenseNet  771,228  771,228   4.916    4.96  10.1    10.1",
    ]


def test_dense_shortcuts_stand_between_resnet_and_densenet():
    """The paper's claim (arXiv:2010.12496, abstract), for memory at either depth."""
    for resnet, dsnet, densenet in (SAVED[:3], SAVED[3:]):
        assert resnet < dsnet < densenet
