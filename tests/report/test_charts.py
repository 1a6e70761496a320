"""Figures as data: what they show, that plotly takes them, and what there is too little for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from archgen.report import Facts, charts
from archgen.report.facts import spread
from archgen.report.parallel import ABSENT, parallel
from archgen.report.traces import MOST, Chart
from archgen.study import Row
from archgen.study.space import Choice

from .conftest import STUDY, Make, many, row

DRAWERS: dict[str, Callable[[Facts], Chart | None]] = {
    "trade_off": charts.trade_off,
    "history": charts.history,
    "distribution": charts.distribution,
    "importance": charts.importance,
    "curves": charts.curves,
    "parallel": parallel,
}
TWO = STUDY.replace("{top1: maximize}", "{top1: maximize, macs: minimize}")
EVIL = "<img src=x onerror=alert(1)></script><a href='javascript:alert(1)'>"


def both(rows: list[Row]) -> list[Row]:
    """Score candidates by MACs as well."""
    return [replace(r, scores={**r.scores, "macs": r.costs["macs"]}) for r in rows]


CONDITIONAL = STUDY.replace(
    "stem.kernel: {any: [1, 3]}",
    "stem.kernel: {any: [1, {value: 3, vary: {stem.act: {any: [relu, silu]}}}]}",
)
CONDITIONAL_ROWS = [
    row(0, 80.0, vary={"stem.width": 2, "stem.kernel": 1}),
    row(1, 90.0, vary={"stem.width": 4, "stem.kernel": 3, "stem.act": "silu"}),
]
CASES = {
    "one": ([row(0, 90.0)], STUDY),
    "two equal": ([row(0, 90.0), row(1, 90.0)], STUDY),
    "perfect": ([row(0, 100.0), row(1, 100.0)], STUDY),
    "many": ([*many(30), row(30), row(31, 20.0, "pruned")], STUDY),
    "two scores": (both(many(30)), TWO),
    "thousands": (many(3000), STUDY),
    "conditional": (CONDITIONAL_ROWS, CONDITIONAL),
    "loss": (
        [replace(r, scores={"loss": 0.5 + r.number}) for r in many(12)],
        STUDY.replace("{top1: maximize}", "{loss: minimize}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", DRAWERS)
def test_plotly_takes_every_figure(make: Make, name: str, case: str) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    rows, text = CASES[case]
    chart = DRAWERS[name](make(rows, text))
    if name == "importance" and len(rows) < 10:
        assert chart is None
        return
    assert chart is not None
    graph_objects.Figure(chart.data, chart.layout)
    assert chart.said.endswith(".")
    for trace in chart.data:
        assert len(trace["x"]) == len(trace["y"]) > 0
        assert all(name not in str(trace) for name in ("NaN", "Infinity"))


@pytest.mark.parametrize("rows", [[], [row(0)], [row(0, 50.0, "pruned"), row(1, None, "failed")]])
@pytest.mark.parametrize("name", ["trade_off", "history", "distribution", "importance", "parallel"])
def test_without_a_complete_candidate_there_is_no_figure(
    make: Make, name: str, rows: list[Row]
) -> None:
    assert DRAWERS[name](make(rows)) is None


def test_pruned_candidates_have_curves(make: Make) -> None:
    assert charts.curves(make([])) is None
    chart = charts.curves(make([row(0, 50.0, "pruned")]))
    assert chart is not None
    assert chart.data[0]["y"] == [75.0, 50.0, None]


def test_the_front_is_a_line_and_the_limit_is_marked(make: Make) -> None:
    chart = charts.trade_off(make(both([row(0, 90.0), row(1, 80.0), row(2, 95.0)]), TWO))
    assert chart is not None
    others, front = chart.data
    assert (front["x"], front["y"]) == ([1800, 3600], [90.0, 95.0])
    assert "lines" in front["mode"]
    assert others["y"] == [80.0]
    assert chart.layout["xaxis"]["title"]["text"] == "MACs"
    assert "shapes" not in chart.layout
    one = charts.trade_off(make([row(0, 90.0), row(1, 80.0)]))
    assert one is not None
    assert one.layout["shapes"][0]["x0"] == 500
    assert one.layout["xaxis"]["title"]["text"] == "parameters"


def test_history_keeps_the_best_so_far_and_puts_the_pruned_below(make: Make) -> None:
    rows = [row(0, 90.0), row(1, 80.0), row(2, 10.0, "pruned"), row(3, 95.0)]
    chart = charts.history(make(rows))
    assert chart is not None
    done, best, early = chart.data
    assert done["x"] == best["x"] == [0, 1, 3]
    assert best["y"] == [90.0, 90.0, 95.0]
    assert early["x"] == [2]
    assert 70 < early["y"][0] < 80
    assert "Candidate 3 was the first with top1 95.00%" in chart.said


def test_the_distribution_is_the_fraction_at_or_below_each_error(make: Make) -> None:
    chart = charts.distribution(make([row(0, 90.0), row(1, 80.0), row(2, 80.0), row(3, 60.0)]))
    assert chart is not None
    (trace,) = chart.data
    assert trace["x"] == [8.5, 10, 20, 20, 40, 41.5]
    assert trace["y"] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert "at most 20%" in chart.said


def test_what_decides_is_important_and_infeasible_candidates_are_not_asked(make: Make) -> None:
    facts = make([*many(38), *[row(number) for number in range(38, 200)]])
    parts = facts.importances["top1"]
    assert next(iter(parts)) == "stem.width"
    assert parts["stem.width"] > 0.8
    assert sum(parts.values()) == pytest.approx(1)
    assert parts == make(many(38)).importances["top1"]


def test_parallel_coordinates_have_a_place_for_what_is_not_there(make: Make) -> None:
    chart = parallel(make(CONDITIONAL_ROWS, CONDITIONAL))
    assert chart is not None
    texts = [mark["text"] for mark in chart.layout["annotations"]]
    assert texts[:6] == ["width", "kernel", "act", "if 3", "params", "top1"]
    assert "not there" in texts
    assert min(y for trace in chart.data for y in trace["y"] if y is not None) == ABSENT


def test_thousands_of_candidates_are_thinned(make: Make) -> None:
    facts = make(many(3000))
    for drawer in (charts.curves, parallel):
        chart = drawer(facts)
        assert chart is not None
        assert sum(trace["x"].count(None) for trace in chart.data) <= 3 * MOST


def test_one_path_under_two_values_is_two_parameters(make: Make) -> None:
    text = STUDY.replace(
        "stem.kernel: {any: [1, 3]}",
        "stem.kernel: {any: [{value: 1, vary: {stem.act: {any: [relu, silu]}}},"
        " {value: 3, vary: {stem.act: {any: [relu, elu, silu]}}}]}",
    )
    rows = [
        row(n, 60.0 + n, vary={"stem.width": 4, "stem.kernel": kernel, "stem.act": act})
        for n in range(24)
        for kernel, act in [(1 + 2 * (n // 12), ["relu", "silu"][n % 2])]
    ]
    facts = make(rows, text)
    chart = parallel(facts)
    assert chart is not None
    texts = [mark["text"] for mark in chart.layout["annotations"]]
    assert texts[:6] == ["width", "kernel", "act", "if 1", "act", "if 3"]
    assert next(iter(facts.importances["top1"])) == "stem.kernel"
    assert len(facts.importances["top1"]) == 3  # all are equally wide: nothing is said of that


def test_texts_of_figures_cannot_be_markup(make: Make) -> None:
    plain = make([])
    vary = {EVIL: Choice(any=[EVIL, "other"])}
    rows = tuple(row(n, 80.0 + n, vary={EVIL: EVIL}) for n in range(12))
    facts = replace(
        plain,
        study=plain.study.model_copy(update={"vary": vary}),
        rows=rows,
        best=rows[-1:],
        importances={"top1": {EVIL: 1.0}},
    )
    for drawer in DRAWERS.values():
        chart = drawer(facts)
        assert chart is not None
        said = re.sub("<br>|<extra></extra>", "", repr((chart.data, chart.layout)))
        assert "<" not in said


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_a_few_of_a_front_are_its_ends_and_some_between(count: int) -> None:
    rows = many(count)
    shown = spread(rows, 3)
    assert len(shown) == min(3, count) == len({each.number for each in shown})
    assert (shown[0], shown[-1]) == (rows[0], rows[-1])


def test_a_single_candidate_is_told_as_one(make: Make) -> None:
    facts = make([row(0, 90.0)])
    drawn = [draw(facts) for name, draw in DRAWERS.items() if name != "importance"]
    said = " ".join(chart.said for chart in drawn if chart is not None)
    assert "The only candidate has an error of 10%." in said
    assert "1 candidates" not in said


@pytest.mark.parametrize("name", ["history", "curves"])
def test_few_whole_numbers_have_a_tick_each_and_room_for_their_markers(
    make: Make, name: str
) -> None:
    few, more = DRAWERS[name](make(many(2))), DRAWERS["history"](make(many(30)))
    assert few is not None
    assert more is not None
    xs = [x for trace in few.data for x in trace["x"] if x is not None]
    axis = few.layout["xaxis"]
    assert axis["dtick"] == 1
    assert axis["range"][0] < min(xs)
    assert max(xs) < axis["range"][1]
    assert "dtick" not in more.layout["xaxis"]
