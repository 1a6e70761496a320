"""``list``, ``check`` and ``schema``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from archgen import files


def test_list_names_all_that_ships(run) -> None:
    result = run("list")
    assert result.exit_code == 0
    names = {line.split()[0] for line in result.stdout.splitlines() if line}
    assert set(files.names("specs")) | set(files.names("studies")) <= names
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("dpn131 ")]
    assert row.split()[:5] == ["dpn131", "3x224x224", "79.3M", "16.0G", "1707.01629"]


def test_list_takes_a_pattern(run) -> None:
    names = [line.split()[0] for line in run("list", "dpn[69]*").stdout.splitlines()]
    assert names[2:] == ["dpn68", "dpn68b", "dpn92", "dpn98"]
    nothing = run("list", "resnext9000")
    assert nothing.exit_code == 0
    assert nothing.stdout == ""
    assert nothing.stderr == "nothing is called like 'resnext9000'\n"


def test_list_as_json(run) -> None:
    document = json.loads(run("list", "pyramid", "--json").stdout)
    assert "pyramidnet110_a48" in [row["name"] for row in document["specs"]]
    assert [row["name"] for row in document["studies"]] == [
        "pyramid", "pyramid_cifar", "pyramid_fashion",
    ]  # fmt: skip


def test_check_says_one_line_for_each_spec(run, small: Path) -> None:
    Path("bad.yaml").write_text(small.read_text().replace("basic", "bsic"))
    Path("worse.yaml").write_text("- 1\n")
    result = run("check", "bad.yaml", small, "worse.yaml", "dpn68", "nowhere.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{small}: ok, 1.38k parameters, 35.2k MACs",
        "dpn68: ok, 12.6M parameters, 2.33G MACs",
    ]
    bad, worse, nowhere = result.stderr.splitlines()
    assert bad.startswith("error: bad.yaml:5: nodes.stages.block: no block 'bsic'; did you mean")
    assert worse.startswith("error: worse.yaml:1: a spec is a mapping")
    assert nowhere.startswith("error: nowhere.yaml: no such file")
    assert run("check", small).exit_code == 0


def test_check_as_json(run, small: Path) -> None:
    Path("bad.yaml").write_text(small.read_text().replace("basic", "bsic"))
    result = run("check", "bad.yaml", "dpn131", "--json")
    assert result.exit_code == 1
    assert result.stderr == ""
    bad, good = json.loads(result.stdout)
    assert (bad["ok"], bad["file"], bad["line"]) == (False, "bad.yaml", 5)
    assert bad["path"] == "nodes.stages.block"
    assert bad["message"].startswith("no block 'bsic'")
    assert good == {"spec": "dpn131", "ok": True, "params": 79254504, "macs": 16013648896}


def test_check_takes_studies(run) -> None:
    study = files.find("studies", "pyramid")
    Path("pyramid.yaml").write_text(study.read_text().replace("alpha:", "alhpa:"))
    result = run("check", study, "pyramid.yaml")
    assert result.exit_code == 1
    told = "ok, a study of pyramidnet_digits: 1,428 combinations, 60 trials"
    assert result.stdout == f"{study}: {told}\n"
    assert result.stderr.startswith("error: pyramid.yaml:")
    assert "alhpa" in result.stderr
    (good,) = json.loads(run("check", study, "--json").stdout)
    assert good == {"spec": str(study), "ok": True, "combinations": 1428, "trials": 60}


@pytest.mark.parametrize("kind", ["", "--study"])
def test_schema(run, kind: str) -> None:
    result = run("schema", *kind.split())
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert ("vary" in schema["properties"]) == bool(kind)


def test_no_command_and_help_teach(run) -> None:
    bare = run()
    assert bare.exit_code == 2
    for name in [
        "list", "show", "check", "build", "weights", "train", "search", "studies", "best", "report",
        "schema", "app",
    ]:  # fmt: skip
        text = run(name, "--help").stdout
        assert f"\n  Examples:\n      archgen {name}" in text, name
    assert run("--help").stdout.count("archgen") > 4
    assert run("--version").stdout.startswith("archgen ")


@pytest.mark.parametrize("args", [["show"], ["shw", "dpn131"], ["show", "dpn131", "--opps"]])
def test_wrong_usage(run, args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: archgen" in result.stderr
