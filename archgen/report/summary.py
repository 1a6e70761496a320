"""The report as Markdown: its words and tables, for a notebook or a pull request."""

from __future__ import annotations

from archgen.ops import size
from archgen.report.facts import MEANINGS, Facts
from archgen.report.told import Table, best_table, environment, headline
from archgen.view import stage_rows

_MEANING = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#~$"} | {"&": "&amp;"})


def summary(facts: Facts) -> str:
    """The report as Markdown; the same facts give the same text."""
    parts = [f"# {_safe(facts.study.name)}", *map(_safe, headline(facts))]
    title = "The Pareto front" if len(facts.study.score) > 1 else "The best candidates"
    parts.append(f"## {title}")
    if facts.best:
        parts += _table(best_table(facts))
    else:
        parts.append("No candidate is complete yet.")
    for score, found in facts.importances.items():
        rows = [[path, f"{part:.1%}"] for path, part in found.items()]
        said = f"What decides the best {score} (PED-ANOVA among complete candidates)"
        parts += ["## Importances", *_table(Table(said, ["parameter", ">part"], rows))]
    for number, net in list(facts.nets.items())[:1]:
        cells = [
            [row.path, row.block, size(row.shape), f"{row.params:,}", f"{row.macs:,}"]
            for row in stage_rows(net)
        ]
        headings = ["path", "block", ">output", ">parameters", ">MACs"]
        parts += [f"## Candidate {number}", *_table(Table("", headings, cells))]
    states = [[state, n, MEANINGS.get(state, "")] for state, n in facts.counts.items()]
    states += [[f"infeasible: {why}", n, ""] for why, n in facts.beyond().most_common()]
    if states:
        table = Table("", ["state", ">candidates", "meaning"], states)
        parts += ["## All candidates", *_table(table)]
    machine = environment(facts)
    if machine is not None:
        parts += ["## Environment", *_table(machine)]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> list[str]:
    heads = [_safe(heading.removeprefix(">")) for heading in table.headings]
    rules = ["---:" if heading.startswith(">") else "---" for heading in table.headings]
    rows = [[_safe(cell) for cell in row] for row in table.rows]
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, rules, *rows])
    return [f"{_safe(table.caption)}:", lines] if table.caption else [lines]


def _safe(text: object) -> str:
    """Take all meaning from a text but itself, and keep it on one line."""
    return " ".join(str(text).translate(_MEANING).split())
