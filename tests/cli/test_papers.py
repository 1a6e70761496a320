"""``archgen papers``: rows as a reader sees them."""

from __future__ import annotations

import json

import pytest


def test_all_papers_fit_a_hundred_columns(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    result = run("papers")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "dpn: Dual Path Networks (arXiv:1707.01629)" in lines
    assert lines[-2:] == [
        "98 networks, 230 figures: 201 agree within rounding, 25 differ for a known reason, "
        "4 unexplained",
        "17 claims: 14 hold, 3 differ",
    ]


def test_a_family(run) -> None:
    result = run("papers", "--family", "dpn")
    assert result.exit_code == 0
    assert "37.7 M = 37.67 M" in result.stdout
    assert "2.5 G ? 2.33 G" in result.stdout
    assert "? dpn68, dpn68b, MACs: unexplained. The released network" in result.stdout
    assert "* dpn131, size: It is rounded up; parameters" in result.stdout
    assert "published, not reproduced here" in result.stdout
    assert "23.57 / 6.93" in result.stdout
    assert "without published figures: dpn32_cifar, dpn_digits" in result.stdout
    assert "resnet:" not in result.stdout
    assert "parameters by alpha" not in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("DPN-98: fewer p"))
    assert row.split()[-5:] == ["26", "%", "26.2", "%", "yes"]


def test_the_deploy_form_is_said(run) -> None:
    result = run("papers", "--family", "parnet")
    assert "19 M = 19.1 M" in result.stdout
    assert "parnet_s: the deploy form is counted, published and computed" in result.stdout
    assert "- / 5.87" in result.stdout


def test_a_family_without_figures(run) -> None:
    result = run("papers", "--family", "dsnet")
    assert result.exit_code == 0
    assert "without published figures: ds2net50" in result.stdout
    assert "40,448 (0.16%)" in result.stdout
    assert result.stdout.endswith("\n5 claims: 4 hold, 1 differ\n")


def test_a_family_without_claims(run) -> None:
    result = run("papers", "--family", "resnext")
    assert result.exit_code == 0
    assert "sources say" not in result.stdout
    assert result.stdout.splitlines()[-1].startswith("7 networks, ")


def test_json(run) -> None:
    found = json.loads(run("papers", "--json").stdout)
    assert found["summary"] == {
        "variants": 98, "figures": 230, "agree": 201, "explained": 25, "unexplained": 4,
    }  # fmt: skip
    (dpn,) = [paper for paper in found["papers"] if paper["family"] == "dpn"]
    (dpn92,) = [variant for variant in dpn["variants"] if variant["name"] == "dpn92"]
    assert dpn92["errors"]["imagenet_top1"] == "20.73 %"
    assert dpn92["figures"][0] == {
        "what": "params", "published": "37.7 M", "computed": 37_668_392, "shown": "37.67 M",
        "verdict": "agrees", "reason": "",
    }  # fmt: skip
    assert len(found["claims"]) == 17
    assert found["alphas"][1]["additive"] == 1_772_706


def test_an_unknown_family(run) -> None:
    result = run("papers", "--family", "dpm")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: no family 'dpm'; did you mean 'dpn'?")
    assert result.stderr.count("\n") == 1
