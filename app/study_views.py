"""The views of a study, one at a time; points that stand for candidates can be selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from study_candidate import chosen, heard, key_of
from study_table import show_table

from archgen.explorer.markdown import escaped
from archgen.explorer.rings import ringed
from archgen.explorer.slices import slices
from archgen.explorer.trials import batched
from archgen.report import charts
from archgen.report.facts import MEANINGS, Facts, spoken
from archgen.report.importance import LEAST, importances
from archgen.report.parallel import parallel
from archgen.report.traces import Chart
from archgen.study import Row, Study
from archgen.study.watch import Watch

EMPTY = "No candidate is complete yet; this page follows the search."
HEIGHT = 500
"""Pixels of a chart, at least."""


def show_view(facts: Facts, watch: Watch) -> None:
    """Let one view be chosen, and show it."""
    view = st.segmented_control(
        "View", list(VIEWS), default=next(iter(VIEWS)), required=True, wrap=True, key="view",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    VIEWS[view](facts, watch)


def _draw(facts: Facts, watch: Watch, chart: Chart | None, name: str, empty: str = EMPTY) -> None:
    """Draw a chart; its points that stand for candidates can be selected, the chosen are ringed."""
    numbers = chosen(facts)
    if chart is None:
        st.info(empty)
        return
    figure = {
        "data": ringed(chart.data, numbers),
        "layout": chart.layout | {"height": max(HEIGHT, chart.layout["height"])},
    }
    numbered = any("customdata" in trace for trace in chart.data)
    key = key_of(watch, name)
    event: Any = st.plotly_chart(
        figure, key=key, alt=chart.said, on_select="rerun" if numbered else "ignore"
    )
    st.caption(escaped(chart.said) + (" Select points to see their networks." if numbered else ""))
    if numbered:
        points = event["selection"]["points"]
        heard(key, [point["customdata"] for point in points if "customdata" in point])


def _trade_off(facts: Facts, watch: Watch) -> None:
    _draw(facts, watch, charts.trade_off(facts), "trade_off")


def _history(facts: Facts, watch: Watch) -> None:
    _draw(facts, watch, charts.history(facts), "history")


def _curves(facts: Facts, watch: Watch) -> None:
    numbers = chosen(facts) or [row.number for row in facts.leading[:3]]
    _draw(
        facts,
        watch,
        charts.curves(facts, numbers),
        "curves",
        "No candidate has an epoch behind it yet.",
    )
    st.caption("The candidates that are chosen in another view have curves of their own.")


def _importances(facts: Facts, watch: Watch) -> None:
    done = facts.complete
    some = batched(done)
    ends = [(row.number, row.digest, row.seconds) for row in (*some[:1], *some[-1:])]
    parts = _weighed(facts.study, some, str(facts.study.data()), len(some), ends)
    said = f"{LEAST} complete candidates are needed to tell; there are {len(done)}."
    _draw(facts, watch, charts.importance(replace(facts, importances=parts)), "importance", said)


@st.cache_data(max_entries=16, show_spinner="Weighing what decides")
def _weighed(
    _study: Study, _rows: Sequence[Row], study: str, count: int, ends: Sequence[tuple[object, ...]]
) -> dict[str, dict[str, float]]:
    """Weigh once what is told from all else by the study, and its first and last candidates."""
    return importances(_study, _rows)


def _slices(facts: Facts, watch: Watch) -> None:
    words = spoken(facts.study, facts.complete)
    if not words:
        st.info(EMPTY)
        return
    name = st.selectbox("Over", list(words), format_func=words.__getitem__)
    _draw(facts, watch, slices(facts, name, words[name]), "slices")


def _parallel(facts: Facts, watch: Watch) -> None:
    _draw(facts, watch, parallel(facts), "parallel")


def _distribution(facts: Facts, watch: Watch) -> None:
    _draw(facts, watch, charts.distribution(facts), "distribution")


def _outcomes(facts: Facts, _: Watch) -> None:
    counts = facts.counts
    meanings = [MEANINGS[state] for state in counts]
    tables = {
        "By state": {"state": [*counts], "candidates": [*counts.values()], "meaning": meanings}
    }
    for title, what, found in (
        ("Why infeasible (each may break several)", "limit", facts.beyond()),
        ("What went wrong", "reason", facts.failures()),
    ):
        if found:
            most = found.most_common()
            tables[title] = {"candidates": [n for _, n in most], what: [why for why, _ in most]}
    for title, table in tables.items():
        st.caption(title)
        st.dataframe(table, hide_index=True, alt=title)


VIEWS: dict[str, Callable[[Facts, Watch], None]] = {
    "Trade-off": _trade_off,
    "Candidates": show_table,
    "History": _history,
    "Learning curves": _curves,
    "Importances": _importances,
    "Slice": _slices,
    "Parallel coordinates": _parallel,
    "Error distribution": _distribution,
    "Outcomes": _outcomes,
}
