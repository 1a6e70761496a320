"""``archgen cost``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from archgen import cost, load
from archgen.analysis import Optimizer, training_memory
from archgen.cli import cost as command
from archgen.view import CostRow, cost_row


def test_one_network_has_one_table_of_its_memory(run) -> None:
    lines = run("cost", "dpn98", "--batch", "64").stdout.splitlines()
    assert lines[0] == "dpn98: Dual Path Networks (arXiv:1707.01629)"
    rows = {line[:20].strip(): line[20:].split() for line in lines[4:]}
    assert rows["MACs"] == ["11,671,217,152"]
    parts = ["parameters", "running statistics", "gradients", "optimizer state"]
    memory = lines[lines.index("", 5) + 3 :]
    assert [line.split("  ")[0] for line in memory] == [*parts, "saved for backward", "total"]
    memory_of = {line.split("  ")[0]: line.split() for line in memory}
    assert memory_of["saved for backward"][-3:] == ["13.3", "GiB", "95.1%"]
    assert memory_of["total"][-2:] == ["14.0", "GiB"]
    mebibytes = {"MiB": 1, "GiB": 1024}
    figures = [line.split()[-3:-1] for line in memory[:-1]]
    whole = sum(float(figure) * mebibytes[unit] for figure, unit in figures)
    assert whole == pytest.approx(14362.2, abs=0.05 * 1024)  # as far as 13.3 GiB tells


def test_what_training_keeps_depends_on_how_it_is_done(run) -> None:
    plain, more, low = (
        json.loads(run("cost", "resnet50", "--batch", "8", "--json", *options).stdout)
        for options in ([], ["--optimizer", "adamw", "--ema"], ["--dtype", "bfloat16"])
    )
    assert more["training"]["optimizer"] > 2 * plain["training"]["optimizer"]
    assert plain["training"]["average"] == 0 < more["training"]["average"]
    assert low["saved_bytes"] < plain["saved_bytes"]
    assert low["training"]["copies"] > 0
    told = run("cost", "resnet50", "--dtype", "bfloat16", "--ema").stdout
    assert "saved copies of weights" in told
    assert "moving average" in told


def test_json_and_attributes_agree(run) -> None:
    document = json.loads(run("cost", "parnet_s", "--batch", "3", "--json").stdout)
    counted = cost(load("parnet_s"), batch=3)
    for name in ("name", "params", "macs", "saved_bytes", "peak_bytes", "depth", "receptive_field"):
        assert document[name] == getattr(counted, name), name
    assert document["training_bytes"] == sum(document["training"].values())
    assert document["critical_macs"] < document["macs"]
    assert document["parallel"] > 1


def test_many_networks_are_rows_in_the_order_asked_for(run) -> None:
    names = ["resnet50", "dpn68", "parnet_s"]
    as_given = run("cost", *names).stdout.splitlines()[4:]
    assert [line.split()[0] for line in as_given] == names
    by_macs = run("cost", *names, "--sort", "macs").stdout.splitlines()[4:]
    assert [line.split()[0] for line in by_macs] == ["dpn68", "resnet50", "parnet_s"]
    rows = json.loads(run("cost", *names, "--sort", "depth", "--json").stdout)
    assert [row["depth"] for row in rows] == [12, 50, 68]


@pytest.mark.parametrize("key", get_args(command.Key))
def test_rows_sort_by_every_key(run, small: Path, key: str) -> None:
    result = run("cost", "dpn68", small, "resnet50", "--sort", key, "--json")
    if key == "latency":
        assert (result.exit_code, result.stdout) == (1, "")
        told = "error: latency: nothing is calibrated here; run 'archgen calibrate'\n"
        assert result.stderr == told
        return
    assert key in CostRow.__annotations__
    found = json.loads(result.stdout)
    assert [row[key] for row in found] == sorted(row[key] for row in found)


def test_changes_hold_for_all(run, small: Path) -> None:
    rows = json.loads(run("cost", small, "resnet50", "--set", "input=[1,64,64]", "--json").stdout)
    assert [row["input"] for row in rows] == [[1, 64, 64]] * 2


def test_many_networks_say_how_they_are_trained(run) -> None:
    names = ["dpn68", "resnet50"]
    first, empty, *_ = run("cost", *names, "--batch", "8").stdout.splitlines()
    assert (first, empty) == ("batch 8, training in float32, SGD with momentum", "")
    other = run("cost", *names, "--optimizer", "adamw", "--ema", "--dtype", "bfloat16").stdout
    assert other.startswith("batch 1, training in bfloat16, AdamW, moving average\n")


def test_a_table_fits(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = run("cost", "pyramidnet272_a200", "resnext101_64x4d", "--batch", "64").stdout
    assert max(map(len, lines.splitlines())) <= 100
    assert "…" not in lines


def test_a_network_without_weights(run, here: Path) -> None:
    path = here / "bare.yaml"
    path.write_text(
        "name: bare\ninput: [3, 8, 8]\nnodes:\n  twice: {block: sum, from: [input, input]}\n"
    )
    result = run("cost", path)
    assert result.exit_code == 0, result.stderr
    assert json.loads(run("cost", path, "--json").stdout)["params"] == 0


def test_the_choices_are_those_that_can_be_counted() -> None:
    assert get_args(command.Optimizer) == get_args(Optimizer)
    assert set(command.PARTS) == set(training_memory(load("dpn_digits")).__dict__)


@pytest.mark.parametrize("name", ["dpn98", "parnet_l", "drn_c_42"])
def test_a_row_says_what_the_analysis_does(name: str) -> None:
    net = load(name)
    row = cost_row(net, 2, "adamw", ema=True, dtype="bfloat16")
    assert row.training == training_memory(net, 2, "adamw", ema=True, dtype="bfloat16")
    assert row.saved_bytes == row.training.activations + row.training.copies


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet51"], "no spec 'resnet51' in the library"),
        (["resnet50", "resnet51"], "no spec 'resnet51' in the library"),
        (["resnet50", "--set", "stages.groups=7"], "7 groups"),
        (
            ["resnet50", "drn_c_26", "--set", "stages.groups=2"],
            "error: drn_c_26: nodes.stages.groups",
        ),
    ],
)
def test_mistakes_are_one_line(run, arguments: list[str], message: str) -> None:
    result = run("cost", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    "options",
    [["--batch", "0"], ["--optimizer", "lion"], ["--dtype", "int8"], ["--sort", "beauty"]],
)
def test_what_is_no_choice_is_wrong_usage(run, options: list[str]) -> None:
    assert run("cost", "resnet50", *options).exit_code == 2
