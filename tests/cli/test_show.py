from __future__ import annotations

import json
from pathlib import Path

import pytest

from archgen import codegen, load, view
from archgen.cli.options import complete_spec, complete_study


def test_table(run, shell) -> None:
    result = run("show", "dpn131")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "dpn131: Dual Path Networks (arXiv:1707.01629)"
    assert lines[1].startswith("input 3x224x224, 131 layers, ")
    assert lines[-1].split() == ["total", "79,254,504", "16,013,648,896"]
    (row,) = [line for line in lines if line.startswith("stages.2")]
    assert row.split() == [
        "stages.2", "28", "bottleneck_preact", "1984x14x14", "16", "49,641,728",
        "10,011,918,336", "62.5%",
    ]  # fmt: skip
    assert shell("show", "dpn131").stdout == result.stdout


def test_path_is_as_good_as_a_name(run, small: Path) -> None:
    assert run("show", "small.yaml").stdout == run("show", small).stdout
    assert run("show", "./small.yaml").stdout.startswith("small\n")


def test_ops(run) -> None:
    lines = run("show", "dpn131", "--ops").stdout.splitlines()
    assert len(lines) == 2 + len(load("dpn131").graph().calls)
    (row,) = [line for line in lines if line.startswith("stages.1.0.spatial ")]
    assert "conv 3x3 stride=2 padding=1 groups=40" in row
    assert row.split()[-4:] == ["320x56x56", "320x28x28", "23,040", "18,063,360"]


@pytest.mark.parametrize("kind", ["dot", "mermaid", "source"])
def test_texts_are_what_the_library_gives(run, kind: str) -> None:
    net = load("parnet_s")
    drawn = view.picture(net)
    text = codegen.source(net) if kind == "source" else getattr(view, kind)(drawn)
    assert run("show", "parnet_s", f"--{kind}").stdout == text


@pytest.mark.parametrize("kind", ["dot", "mermaid"])
def test_diagrams_open_at_a_path(run, kind: str) -> None:
    text = getattr(view, kind)(view.picture(load("dpn68"), "stages.2"))
    assert run("show", "dpn68", f"--{kind}", "--open", "stages.2").stdout == text
    document = json.loads(run("show", "dpn68", "--json", f"--{kind}", "--open", "stages.2").stdout)
    assert document[kind] == text


def test_what_cannot_be_opened_is_one_line(run) -> None:
    result = run("show", "dpn68", "--dot", "--open", "stage.2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: no part 'stage.2'; did you mean 'stages.2'?")
    refused = run("show", "dpn68", "--open", "stages.2")
    assert refused.exit_code == 2
    assert "--open goes with --dot or --mermaid" in refused.stderr


def test_one_text_at_a_time(run) -> None:
    result = run("show", "dpn68", "--dot", "--ops")
    assert result.exit_code == 2
    assert "--ops and --dot" in result.stderr


def test_json_holds_all_that_is_asked_for(run) -> None:
    result = run("show", "dpn131", "--json", "--ops", "--dot")
    document = json.loads(result.stdout)
    assert document["name"] == "dpn131"
    assert document["params"] == 79_254_504
    assert document["macs"] == 16_013_648_896
    assert document["input"] == [3, 224, 224]
    assert sum(row["params"] for row in document["stages"]) == document["params"]
    assert document["stages"][1]["blocks"] == {"bottleneck_preact": 4}
    assert len(document["ops"]) == len(load("dpn131").graph().calls)
    assert document["dot"].startswith("digraph")
    assert document["spec"]["nodes"]["stages"]["groups"] == 40
    assert "mermaid" not in document


def test_set(run) -> None:
    plain = json.loads(run("show", "dpn131", "--json").stdout)
    changed = run("show", "dpn131", "--json", "--set", "stages.groups=32", "--set",
                  "input=[3, 64, 64]", "--set", "stages.shortcut.grow=[16,16,16,16]")  # fmt: skip
    document = json.loads(changed.stdout)
    assert document["input"] == [3, 64, 64]
    assert document["spec"]["nodes"]["stages"]["groups"] == 32
    assert document["params"] < plain["params"]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("stages.grups=32", "no field of block 'bottleneck_preact' called 'grups'"),
        ("nowhere.groups=32", "no key 'nowhere'"),
        ("stages.groups=many", "needs an integer, not 'many'"),
        ("stages.groups=[1", "'[1' is no value"),
        ("name=../evil", "must be lower-case letters"),
        ("head.classes=-1", "greater than or equal to 1"),
    ],
)
def test_wrong_values_are_one_line(run, assignment: str, message: str) -> None:
    result = run("show", "dpn131", "--set", assignment)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize("text", ["stages.groups", "=3", "stages.groups=", " = "])
def test_no_assignment_is_wrong_usage(run, text: str) -> None:
    result = run("show", "dpn131", "--set", text)
    assert result.exit_code == 2
    assert "is not PATH=VALUE" in result.stderr


def test_a_path_that_is_set_twice_is_wrong_usage(run) -> None:
    result = run("show", "dpn131", "--set", "stages.groups=32", "--set", "stages.groups=40")
    assert result.exit_code == 2
    assert "stages.groups is given twice" in result.stderr


def test_paper_cannot_write_to_the_terminal(run, small: Path) -> None:
    text = small.read_text()
    small.write_text(f'paper: {{title: "a \\e[31m \\n b"}}\n{text}')
    assert run("show", small).stdout.startswith("small: a \\x1b[31m \\n b\n")


def test_narrow_terminal_cuts_words_but_no_number(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("show", "dpn131").stdout.splitlines()[4:]
    assert max(map(len, lines)) <= 80
    assert any("…" in line for line in lines)
    assert lines[-1].split() == ["total", "79,254,504", "16,013,648,896"]
    assert all(line.endswith("%") for line in lines[2:-1])


def test_completion(here: Path) -> None:
    assert complete_spec("dpn1") == ["dpn107", "dpn131"]
    assert complete_study("pyr") == ["pyramid", "pyramid_cifar", "pyramid_fashion"]
    (here / "nets").mkdir()
    (here / "mine.yaml").touch()
    (here / "mine.txt").touch()
    assert complete_spec("min") == ["mine.yaml"]
    assert complete_spec("./n") == ["./nets/"]
    assert complete_spec("nowhere/x") == []
