"""One self-contained HTML file: it needs no network and forbids itself any.

All text from studies and records is escaped where it enters the page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from archgen.ops import size
from archgen.report import charts
from archgen.report.facts import LABELS, LISTED, MEANINGS, Facts
from archgen.report.importance import LEAST
from archgen.report.parallel import parallel
from archgen.report.told import (
    Table,
    best_table,
    environment,
    headline,
    importance_table,
    quantiles,
    records,
)
from archgen.report.traces import Chart
from archgen.spec import Net
from archgen.study.report import Row, value_of
from archgen.view import duration, figure, stage_rows, svg, varied

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
LONG = 24
"""Characters from which a cell is broken into lines."""
EMPTY = "No candidate is complete yet; make the report again when one is."


def page(facts: Facts) -> str:
    """The report as HTML; the same facts give the same text."""
    from plotly.offline import get_plotlyjs

    name = escape(facts.study.name)
    code = files("archgen.report")
    body = [
        f"<h1>{name}</h1>",
        *[f"<p>{escape(line)}</p>" for line in headline(facts)],
        _cards(facts),
        _best(facts),
        *_figures(facts),
        _networks(facts),
        _account(facts),
        _environment(facts),
        f"<details><summary>The study file</summary><pre>{escape(_study(facts))}</pre></details>",
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name} - archgen report</title>",
            f"<style>\n{code.joinpath('page.css').read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            f"<script>{get_plotlyjs()}</script>",
            f"<script>\n{code.joinpath('page.js').read_text(encoding='utf-8')}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _cards(facts: Facts) -> str:
    shown = [
        ("state", facts.state),
        ("trained", f"{facts.trained} of {facts.trials}"),
        ("proposed", f"{len(facts.rows)}"),
        ("training time", duration(facts.seconds)),
    ]
    if facts.best:
        first = facts.best[0]
        for score in facts.study.score:
            shown.append((f"best {score}", figure(score, _best_of(facts, score))))
        if first.test is not None:
            shown.append((f"test top-1 of {first.number}", figure("top1", first.test)))
    cards = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in shown)
    return f'<dl class="cards">{"".join(cards)}</dl>'


def _best_of(facts: Facts, score: str) -> float:
    values = [row.scores[score] for row in facts.best]
    return max(values) if facts.study.score[score] == "maximize" else min(values)


def _best(facts: Facts) -> str:
    title = "The Pareto front" if len(facts.study.score) > 1 else "The best candidates"
    if not facts.best:
        return _section(title, _empty(EMPTY))
    return _section(title, _table(best_table(facts)))


def _figures(facts: Facts) -> list[str]:
    two = len(facts.study.score) > 1
    against, watched = LABELS.get(facts.against, facts.against), LABELS[facts.watched]
    trade = _chart(
        "Two scores" if two else "Score against cost",
        f"Each point is a candidate trained to the end: {watched} against {against}.",
        "trade", charts.trade_off(facts), EMPTY,
    )  # fmt: skip
    history = _chart(
        "History", f"{watched} in the order of asking.".capitalize(),
        "history", charts.history(facts), EMPTY, records(facts),
    )  # fmt: skip
    spread = _chart(
        "Error distribution",
        "The fraction of networks with an error of at most e, as in arXiv:2003.13678, among those "
        "trained to the end. A search does not draw them by chance: the curve is the search's, "
        "not the space's.",
        "distribution", charts.distribution(facts), EMPTY, quantiles(facts),
    )  # fmt: skip
    parts = _chart(
        "Importances",
        "The part of each parameter in reaching the best of a score (PED-ANOVA, "
        "arXiv:2304.10255), among networks trained to the end.",
        "importance", charts.importance(facts),
        f"{LEAST} complete candidates are needed to tell; there are {len(facts.complete)}.",
        importance_table(facts),
    )  # fmt: skip
    lines = _chart(
        "Parallel coordinates", "One line a network trained to the end, through all that varies.",
        "parallel", parallel(facts), EMPTY,
    )  # fmt: skip
    curves = _chart(
        "Learning curves", "The networks shown below by name, all others behind them.",
        "curves", charts.curves(facts), "No candidate has an epoch behind it yet.",
    )  # fmt: skip
    return [_pair(trade, history), _pair(spread, parts), lines, curves]


def _networks(facts: Facts) -> str:
    if not facts.nets:
        return _section("Networks", _empty(EMPTY))
    rows = {row.number: row for row in facts.best}
    return _section(
        "Networks", *[_network(facts, rows[number], net) for number, net in facts.nets.items()]
    )


def _network(facts: Facts, row: Row, net: Net) -> str:
    named = [*facts.study.score, "params", "macs", "depth"]
    known = [(name, value_of(row, name)) for name in dict.fromkeys(named)]
    said = ", ".join(f"{name} {figure(name, value)}" for name, value in known if value is not None)
    values = ", ".join(f"{path} = {text}" for path, text in varied(facts.study, row).items())
    stages = Table(
        "Nodes and stages",
        ["path", "block", ">output", ">stride", ">parameters", ">MACs", ">share"],
        [
            [
                stage.path, stage.block, size(stage.shape), stage.stride or "",
                f"{stage.params:,}", f"{stage.macs:,}", f"{stage.share:.1%}",
            ]
            for stage in stage_rows(net)
        ],
    )  # fmt: skip
    return "\n".join(
        [
            f"<h3>Candidate {row.number}: {escape(said)}</h3>",
            f'<p class="soft">{escape(values)}</p>',
            f'<div class="network"><div>{_table(stages)}',
            f"<details><summary>Spec</summary><pre>{escape(net.dump())}</pre></details></div>",
            f'<div><p class="caption">Diagram</p><div class="scroll">{svg(net)}</div></div></div>',
        ]
    )


def _account(facts: Facts) -> str:
    """What became of all candidates, and why."""
    if not facts.rows:
        return _section("All candidates", _empty("Nothing was proposed yet."))
    states = [[state, n, MEANINGS.get(state, "")] for state, n in facts.counts.items()]
    parts = [_table(Table("By state", ["state", ">candidates", "meaning"], states))]
    beyond = facts.beyond().most_common()
    if beyond:
        parts.append(
            _table(
                Table("Why infeasible (each may break several)", ["limit", ">candidates"], beyond)
            )
        )
    failures = facts.failures().most_common()
    if failures:
        rows = [[count, reason] for reason, count in failures[:LISTED]]
        if len(failures) > LISTED:
            rest = sum(count for _, count in failures[LISTED:])
            rows.append([rest, f"{len(failures) - LISTED} other reasons"])
        parts.append(_table(Table("What went wrong", [">candidates", "reason"], rows)))
    return _section("All candidates", *parts)


def _environment(facts: Facts) -> str:
    table = environment(facts)
    if table is None:
        return _section("Environment", _empty("The search wrote nothing about its machine."))
    return _section("Environment", _table(table))


def _study(facts: Facts) -> str:
    from archgen import yamlfile

    return yamlfile.dump(facts.study.data())


def _section(title: str, *parts: str) -> str:
    return "\n".join(["<section>", f"<h2>{escape(title)}</h2>", *parts, "</section>"])


def _pair(*sections: str) -> str:
    return "\n".join(['<div class="pair">', *sections, "</div>"])


def _empty(text: str) -> str:
    return f'<p class="empty">{escape(text)}</p>'


def _chart(
    title: str,
    caption: str,
    key: str,
    chart: Chart | None,
    empty: str,
    more: Table | None = None,
) -> str:
    if chart is None:
        return _section(title, _empty(empty))
    height = chart.layout["height"]
    drawn = (
        f'<div class="scroll"><div class="chart" id="{key}" role="img" '
        f'aria-label="{escape(f"{title}. {chart.said}")}" '
        f'style="height:{height}px;min-width:{chart.narrowest}px"></div></div>'
    )
    content = _script({"data": chart.data, "layout": chart.layout})
    data = f'<script type="application/json" id="{key}-data">{content}</script>'
    said = f"<figcaption>{escape(caption)} {escape(chart.said)}</figcaption>"
    details = f"<details><summary>As a table</summary>{_table(more)}</details>" if more else ""
    return _section(title, "<figure>", said, drawn, data, "</figure>", details)


def _script(value: Any) -> str:
    """Write JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _table(table: Table) -> str:
    numeric = [heading.startswith(">") for heading in table.headings]
    head = _cells("th", [heading.removeprefix(">") for heading in table.headings], numeric)
    body = "\n".join(f"<tr>{_cells('td', row, numeric)}</tr>" for row in table.rows)
    return (
        f'<p class="caption">{escape(table.caption)}</p>'
        f'<div class="scroll"><table aria-label="{escape(table.caption)}">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cells(tag: str, texts: Sequence[object], numeric: Sequence[bool]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    cells = []
    for text, right in zip(map(str, texts), numeric, strict=True):
        kind = ' class="number"' if right else ' class="long"' if len(text) > LONG else ""
        cells.append(f"<{tag}{scope}{kind}>{escape(text)}</{tag}>")
    return "".join(cells)
