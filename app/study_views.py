"""The views of a study, one at a time; points that stand for candidates can be selected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st
from study_candidate import chosen, heard
from study_table import show_table

from archgen.explorer.markdown import escaped
from archgen.explorer.slices import slices
from archgen.report import charts
from archgen.report.facts import MEANINGS, Facts, spoken
from archgen.report.importance import LEAST, importances
from archgen.report.parallel import parallel
from archgen.report.traces import Chart
from archgen.study import Row, Study
from archgen.study.watch import Watch

KEY = "view"
EMPTY = "No candidate is complete yet; this page follows the search."
HEIGHT = 500
"""Pixels of a chart, at least."""


def show_view(facts: Facts, watch: Watch) -> None:
    """Let one view be chosen, and show it."""
    asked = st.query_params.get(KEY)
    default = asked if asked in VIEWS else next(iter(VIEWS))
    view = st.segmented_control(
        "View", list(VIEWS), default=default, required=True, label_visibility="collapsed", wrap=True
    )
    st.query_params[KEY] = view
    VIEWS[view](facts, watch)


def _draw(chart: Chart | None, key: str, empty: str = EMPTY) -> None:
    """Draw a chart; its points that stand for candidates can be selected."""
    if chart is None:
        st.info(empty)
        return
    figure = {
        "data": chart.data,
        "layout": chart.layout | {"height": max(HEIGHT, chart.layout["height"])},
    }
    numbered = any("customdata" in trace for trace in chart.data)
    event: Any = st.plotly_chart(
        figure, key=key, alt=chart.said, on_select="rerun" if numbered else "ignore"
    )
    st.caption(escaped(chart.said) + (" Select points to see their networks." if numbered else ""))
    if numbered:
        points = event["selection"]["points"]
        heard(key, [point["customdata"] for point in points if "customdata" in point])


def _trade_off(facts: Facts, _: Watch) -> None:
    _draw(charts.trade_off(facts), "trade_off")


def _history(facts: Facts, _: Watch) -> None:
    _draw(charts.history(facts), "history")


def _curves(facts: Facts, _: Watch) -> None:
    numbers = chosen(facts) or [row.number for row in facts.leading[:3]]
    _draw(charts.curves(facts, numbers), "curves", "No candidate has an epoch behind it yet.")
    st.caption("The candidates that are chosen in another view have curves of their own.")


def _importances(facts: Facts, watch: Watch) -> None:
    done = facts.complete
    some = done[: len(done) - len(done) % max(1, len(done) // 10)]  # anew with every tenth more
    last = some[-1].digest if some else ""
    parts = _weighed(facts.study, some, str(watch.folder), len(some), last)
    said = f"{LEAST} complete candidates are needed to tell; there are {len(done)}."
    _draw(charts.importance(replace(facts, importances=parts)), "importance", said)


@st.cache_data(max_entries=16, show_spinner="Weighing what decides")
def _weighed(
    _study: Study, _rows: list[Row], folder: str, count: int, last: str
) -> dict[str, dict[str, float]]:
    return importances(_study, _rows)


def _slices(facts: Facts, _: Watch) -> None:
    words = spoken(facts.study, facts.complete)
    if not words:
        st.info(EMPTY)
        return
    name = st.selectbox("Over", list(words), format_func=words.__getitem__)
    _draw(slices(facts, name, words[name]), "slices")


def _parallel(facts: Facts, _: Watch) -> None:
    _draw(parallel(facts), "parallel")


def _distribution(facts: Facts, _: Watch) -> None:
    _draw(charts.distribution(facts), "distribution")


def _account(facts: Facts, _: Watch) -> None:
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
    "Parallel": _parallel,
    "Errors": _distribution,
    "Account": _account,
}
