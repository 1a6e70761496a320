from __future__ import annotations

import json
from pathlib import Path

import pytest

from archgen import cost, load

A48 = ("fit", "pyramidnet110_a48", "--by", "stages.width.alpha", "--to", "params=3.8e6")


def test_table(run) -> None:
    result = run(*A48)
    assert result.stderr == ""
    heading, _, *lines = [line.split() for line in result.stdout.splitlines()]
    assert heading == ["stages.width.alpha", "params", "off"]
    assert lines == [
        ["48", "1,772,706", "-53.35%", "in", "the", "spec"],
        ["82", "3,761,455", "-1.01%", "below"],
        ["83", "3,833,813", "+0.89%", "above,", "nearest"],
        [],
        "stages.width.alpha=83: 3,833,813 parameters, 761,857,758 MACs, 110 layers".split(),
    ]


def test_the_spec_is_written(run, here: Path) -> None:
    result = run(*A48, "--out", "mine.yaml")
    assert result.stdout.endswith("wrote mine.yaml\n")
    net = load("mine.yaml")
    assert net == load("pyramidnet110_a48").set({"stages.width.alpha": 83})
    assert "published" not in (here / "mine.yaml").read_text()


def test_json(run) -> None:
    found = json.loads(run(*A48, "--json").stdout)
    assert found["values"] == {"stages.width.alpha": 83}
    assert found["reached"] == found["params"] == 3_833_813
    assert found["macs"] == 761_857_758
    assert found["off"] == pytest.approx(0.0089, abs=1e-4)
    assert found["below"] == {"values": {"stages.width.alpha": 82}, "cost": 3_761_455}
    assert found["monotone"] is True
    assert found["written"] is None
    assert found["spec"]["nodes"]["stages"]["width"]["alpha"] == 83


def test_a_number_made_real(run) -> None:
    result = run(*A48, "--set", "stages.width.alpha=48.0", "--within", "0.1%", "--json")
    found = json.loads(result.stdout)
    assert abs(found["reached"] - 3.8e6) < 3.8e3
    assert isinstance(found["values"]["stages.width.alpha"], float)


def test_what_is_not_monotone_is_said_to_be_so(run) -> None:
    result = run(
        *("fit", "resnet18", "--to", "macs=1e9", "--by", "stages.width.ratio"),
        *("--set", "stages.width={kind: quantised, start: 24, slope: 36, ratio: 2.5}"),
    )
    assert result.exit_code == 0
    assert result.stderr.startswith("macs neither just rises nor just falls with stages.width.rati")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--from", "50"), ""),
        (
            ("--within", "0.5%"),
            "no value gives 3,800,000 params within 0.5%; the nearest are 3,761",
        ),
        (("--within", "0.5"), "--within: '0.5' is no percentage; write 2%"),
        (("--upto", "60"), "no value gives 3,800,000 params; they reach 254,682 "),
        (("--by", "stages.width.alpha"), "name one number, or several that are different"),
        (("--out", "nowhere/mine.yaml"), "cannot write: there is no folder"),
        (("--out", "mine.txt"), "mine.txt: --out writes a spec: a file called .yaml"),
    ],
)
def test_mistakes(run, here: Path, args: tuple[str, ...], said: str) -> None:
    result = run(*A48, *args)
    assert result.exit_code == bool(said)
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == bool(said)


@pytest.mark.parametrize("goal", ["params", "params=", "params=many", "=5"])
def test_goals_that_are_none(run, goal: str) -> None:
    result = run("fit", "resnet18", "--by", "stem.width", "--to", goal)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no COST=NUMBER" in result.stderr or "no cost ''" in result.stderr


def test_two_goals_are_wrong_usage(run) -> None:
    result = run(*A48, "--to", "macs=1e9")
    assert result.exit_code == 2
    assert "give one cost to reach, not 2" in result.stderr


def test_costs_are_of_the_network_that_is_written(run, here: Path) -> None:
    run("fit", "resnet50", "--to", "saved_bytes=50e6", "--by", "input.1", "--by", "input.2",
        "--out", "mine.yaml")  # fmt: skip
    net = load("mine.yaml")
    assert net.input[1] == net.input[2] < 224
    assert cost(net).params == cost(load("resnet50")).params
