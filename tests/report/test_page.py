"""The page and the summary: whole, self-contained, escaped, and readable with little to say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from digits_search import SPEC

from archgen.errors import ArchError
from archgen.report import Facts, facts_of, page, summary
from archgen.study import Row, load_study
from archgen.study.space import Choice

from .conftest import STUDY, Make, many, row

EVIL = "<script>alert(1)</script> | `x` [a](javascript:b) \x1b[31m"
VOID = {"meta", "br", "rect", "path"}
TWO = STUDY.replace("{top1: maximize}", "{top1: maximize, macs: minimize}")


class Reader(HTMLParser):
    """Reads a page: elements must be closed in order; keeps attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open[-1:] == ["script"] else self.texts).append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.texts).split())


CASES: dict[str, tuple[list[Row], str]] = {
    "nothing": ([], STUDY),
    "only infeasible": ([row(0), row(1)], STUDY),
    "one": ([row(0, 90.0)], STUDY),
    "two": ([row(0, 90.0), row(1, 91.0)], STUDY),
    "one parameter": (
        [row(n, 90.0 + n / 10, vary={"stem.width": 2 + n}) for n in range(12)],
        STUDY.replace("  stem.kernel: {any: [1, 3]}\n", ""),
    ),
    "many": ([*many(20), row(20, 5.0, "pruned"), row(21, None, "failed", reason="boom")], STUDY),
    "front": ([replace(r, scores={**r.scores, "macs": 5 * r.number}) for r in many(20)], TWO),
}


@pytest.fixture(scope="module", autouse=True)
def plotly() -> None:
    pytest.importorskip("plotly")


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_whole_and_needs_no_network(make: Make, case: str) -> None:
    text = page(make(*CASES[case]))
    read = Reader(text)
    assert text.count("plotly.js v") == 1
    outside = [a for a in read.attributes if a[1] in ("src", "href", "srcset", "action")]
    assert outside == []
    assert "default-src 'none'" in text
    charts = [value for tag, key, value in read.attributes if (tag, key) == ("div", "id")]
    data = [json.loads(script) for script in read.scripts if script.startswith('{"data"')]
    assert len(charts) == len(data)
    labelled = [v for tag, key, v in read.attributes if (tag, key) == ("div", "aria-label")]
    assert len(labelled) == len(charts)
    assert all(labelled)
    if case in ("many", "front"):
        assert charts == ["trade", "history", "distribution", "importance", "parallel", "curves"]


def test_without_results_it_says_what_to_do(make: Make) -> None:
    said = Reader(page(make([]))).said
    assert "No candidate is complete yet; make the report again when one is." in said
    assert "Nothing was proposed yet." in said
    assert "The search wrote nothing about its machine." in said
    assert "10 complete candidates are needed to tell; there are 0." in said
    assert "No candidate is complete yet." in summary(make([]))


def test_it_tells_the_search_and_its_best(make: Make) -> None:
    facts = make([row(0, 90.0), replace(row(1, 95.5), test=94.25), row(2), row(3)])
    for said in (Reader(page(facts)).said, summary(facts).replace("\\", "")):
        assert "Maximize top1: small with 2 choices (stem.width, stem.kernel)" in said
        assert "trained on digits for 2 epochs each, with params at most 500." in said
        assert "2 of 4 candidates trained; last change 2026-01-02 03:04 UTC." in said
        assert "The best is candidate 1 with top1 95.50% (90 params, 2.70k macs)" in said
        assert "94.25% on the test split." in said
        assert "conv_norm" in said


def test_infeasible_candidates_are_counted_by_limit(make: Make) -> None:
    rows = [row(20), row(30), Row(2, "infeasible", reason="stem: it does not fit")]
    facts = make(rows)
    assert facts.beyond() == {"params above 500": 2, "does not build": 1}
    assert facts.failures() == {"stem: it does not fit": 1}
    said = Reader(page(facts)).said
    assert "params above 500" in said
    assert "stem: it does not fit" in said


def test_what_was_solved_for_is_told(make: Make) -> None:
    text = STUDY.replace("  stem.width: {from: 2, to: 40}\n", "").replace(
        "{max: 500}", "{equal: 2000, within: 1%, by: stem.width}"
    )
    rows = [
        row(kernel, top1, vary={"stem.kernel": kernel}, solved={"stem.width": width},
            costs={"params": width * (12 + kernel**2) + 10, "macs": 1})
        for kernel, width, top1 in ((1, 153, 90.0), (3, 95, 95.0), (7, 33, None))
    ]  # fmt: skip
    facts = make(rows, text.replace("[1, 3]", "[1, 3, 7]"))
    assert facts.nets[3].get("stem.width") == 95
    assert facts.beyond() == {"params not within 1% of 2,000": 1}
    for said in (Reader(page(facts)).said, summary(facts).replace("\\", "")):
        assert "each, with params within 1% of 2,000 by stem.width." in said
        assert "stem.kernel = 3, stem.width = 95" in said or "| 3 | 95 |" in said


def test_of_many_reasons_the_commonest_are_listed(make: Make) -> None:
    rows = [row(n, None, "failed", reason=f"reason {n}") for n in range(30)]
    said = Reader(page(make([*rows, row(30, None, "failed", reason="reason 7")]))).said
    assert "2 reason 7" in said
    assert "20 other reasons" in said


def test_nothing_that_a_user_wrote_becomes_markup(make: Make) -> None:
    hostile = [
        row(0, 90.0, vary={EVIL: EVIL}),
        row(1, None, "failed", reason=EVIL),
        row(2, None, "infeasible", reason=EVIL, costs={}),
    ]
    plain = make([])
    study = plain.study.model_copy(update={"vary": {EVIL: Choice(any=[EVIL, "other"])}})
    renamed = plain.study.net.model_copy(update={"name": EVIL})
    facts: Facts = replace(
        plain,
        study=study,
        rows=tuple(hostile),
        best=(hostile[0],),
        nets={0: renamed},
        runs=({EVIL: [EVIL]},),
    )
    read = Reader(page(facts))
    assert "alert(1)" in read.said
    scripts = [script for script in read.scripts if "alert(1)" in script]
    assert all("<" not in script for script in scripts)
    assert {tag for tag, *_ in read.attributes} & {"img", "iframe", "a", "form"} == set()
    text = summary(facts)
    assert "<script>" not in text
    assert not re.search(r"(?<!\\)[`\[\]<]", text)
    assert "\x1b" not in text
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_it_is_the_same_each_time(make: Make) -> None:
    facts = make(many(20))
    assert page(facts) == page(facts)
    assert summary(facts) == summary(facts)


@pytest.mark.torch
def test_of_a_real_search(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from archgen.study import search

    (tmp_path / "small.yaml").write_text(SPEC)
    (tmp_path / "tiny.yaml").write_text(STUDY.replace("params: {max: 500}", "params: {max: 300}"))
    run = tmp_path / "run"
    search(load_study(tmp_path / "tiny.yaml"), folder=run, device="cpu", trials=3)
    facts = facts_of(run)
    assert (facts.trained, facts.state) == (3, "complete")
    said = Reader(page(facts)).said
    assert "The search is complete: 3 of 3 candidates trained" in said
    assert f"Candidate {facts.best[0].number}:" in said
    assert f"candidate {facts.best[0].number}" in summary(facts)


def test_what_the_machine_was_is_shown_if_it_is_there(make: Make, tmp_path: Path) -> None:
    runs = [{"started": f"day {n}", "torch": "2.14", "devices": ["cpu"]} for n in range(6)]
    said = Reader(page(replace(make([]), runs=tuple(runs)))).said
    assert "The last 4 of 6 calls" in said
    assert "day 5" in said
    assert "day 1 " not in said


def test_nothing_searched_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArchError) as caught:
        facts_of(tmp_path)
    assert "\n" not in str(caught.value)
