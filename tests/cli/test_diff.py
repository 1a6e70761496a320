"""``archgen diff``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archgen import load
from archgen.view import compare


def cells(line: str) -> list[str]:
    return line.replace(" MiB", "MiB").split()


def test_the_dual_path_paper_at_a_glance(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """26 % fewer parameters, 25 % fewer FLOPs, less memory (arXiv:1707.01629, abstract)."""
    monkeypatch.setenv("COLUMNS", "100")
    lines = run("diff", "dpn98", "resnext101_64x4d").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines)
    rows = {line[:22].strip(): cells(line[22:]) for line in lines}
    assert rows["stages.depth"] == ["[3,6,20,3]", "[3,4,23,3]"]
    assert rows["stages.shortcut.grow"] == ["[16,32,32,128]", "-"]
    assert rows["stages.3"] == ["2688x7x7", "1.41G", "2048x7x7", "1.63G", "0.863", "-13.7%"]
    assert rows["parameters"] == ["61,570,728", "83,455,272", "0.738", "-26.2%"]
    assert rows["MACs"] == ["11,671,217,152", "15,460,270,080", "0.755", "-24.5%"]
    assert rows["saved for backward"] == ["214.0MiB", "236.0MiB", "0.907", "-9.3%"]
    assert "stages.group_width" not in rows


def test_figures_are_never_cut(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("diff", "dpn98", "resnext101_64x4d").stdout.splitlines()
    rows = {line[:20].strip(): cells(line[20:]) for line in lines}
    assert rows["MACs"] == ["11,671,217,152", "15,460,270,080", "0.755", "-24.5%"]
    assert rows["stages.3"] == ["2688x7x7", "1.41G", "2048x7x7", "1.63G", "0.863", "-13.7%"]
    assert rows["saved for backward"][:2] == ["214.0MiB", "236.0MiB"]


def test_a_node_that_only_one_has_is_said_in_a_few_words(run) -> None:
    result = run("diff", "parnet_s", "resnet34")
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert rows["body"] == ["repvgg_sse", "depth=[4,4,5,5]", "streams=3", "-"]
    assert rows["stages"] == ["-", "basic", "depth=[3,4,6,3]"]
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_one_network_spelt_in_two_ways(run) -> None:
    result = run("diff", "dpn98", "dpn98", "--set-a", "stages.group_width=[4,8,16,32]")
    first, heading, _, row = result.stdout.splitlines()[:4]
    assert first == "one network: the same operations, wiring and initialisation"
    assert "dpn98 (A)" in heading
    assert row.startswith("stages.group_width")
    assert row.endswith("same values")
    assert "%" not in result.stdout


def test_a_spec_and_itself(run, small: Path) -> None:
    lines = run("diff", small, small).stdout.splitlines()
    assert lines[3].split() == ["spec", "no", "change"]


def test_each_side_has_its_own_changes(run) -> None:
    document = json.loads(
        run("diff", "resnet50", "resnet50", "--set-a", "stages.groups=32", "--set-b",
            "stages.groups=2", "--batch", "3", "--json").stdout
    )  # fmt: skip
    assert document["spec"] == [{"path": "stages.groups", "first": 32, "second": 2, "same": False}]
    assert not document["same"]
    assert document["batch"] == 3


def test_json_adds_up(run) -> None:
    document = json.loads(run("diff", "drn_a_18", "drn_c_26", "--json").stdout)
    figures = {row["what"]: row for row in document["figures"]}
    stages = {row["path"]: row for row in document["stages"]}
    for side in ("first", "second"):
        for what in ("params", "macs"):
            parts = sum(row[side][what] for row in stages.values() if row[side])
            assert parts == figures[what][side]
    assert stages["degrid.0"]["first"] is None
    assert [*stages][-2:] == ["degrid.1", "head"]
    assert figures["depth"] == {"what": "depth", "first": 18, "second": 26, "ratio": 18 / 26}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet50", "resnet51"], "no spec 'resnet51' in the library"),
        (["resnet50", "resnet50", "--set-b", "stages.grups=3"], "called 'grups'"),
        (["resnet50", "resnet50", "--set-a", "stages.groups=7"], "7 groups"),
    ],
)
def test_mistakes_are_one_line(run, arguments: list[str], message: str) -> None:
    result = run("diff", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize("batch", ["0", "-1", "1e9", "70000"])
def test_a_batch_is_a_number_of_images(run, batch: str) -> None:
    assert run("diff", "resnet50", "resnet18", "--batch", batch).exit_code == 2


def test_memory_grows_with_the_batch() -> None:
    one, four = (
        {pair.what: pair for pair in compare(load("dpn98"), load("resnet50"), batch).figures}
        for batch in (1, 4)
    )
    assert one["params"] == four["params"]
    assert 3.9 < four["saved_bytes"].first / one["saved_bytes"].first < 4
