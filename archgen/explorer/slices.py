"""The watched score against one thing that varies, as plain data for plotly."""

from __future__ import annotations

from archgen.report.facts import Facts, named
from archgen.report.traces import (
    FEW,
    POINTS,
    Chart,
    axis,
    candidates,
    cut,
    layout_of,
    points_of,
    safe,
    thinned,
)
from archgen.view import plain
from archgen.view.colours import BLUE, ORANGE, VERMILLION


def slices(facts: Facts, name: str, words: str) -> Chart | None:
    """Draw complete candidates over one parameter, the later the more orange; the best stand out.

    Args:
        facts: What is known.
        name: Of the parameter, as `archgen.report.facts.spoken` gives it.
        words: What it is called on the axis.

    Returns:
        The chart; None if no complete candidate has the parameter.
    """
    score = facts.watched
    leading = list(facts.leading)
    best = {row.number for row in leading}
    others = thinned([row for row in facts.complete if row.number not in best], POINTS)
    values = {row.number: named(facts.study, row).get(name) for row in [*others, *leading]}
    others = [row for row in others if values[row.number] is not None]
    leading = [row for row in leading if values[row.number] is not None]
    if not (others or leading):
        return None
    score, study = facts.watched, facts.study
    data = [
        points_of(study, others, "number", score, "other candidates", BLUE, "circle", 7),
        points_of(study, leading, "number", score, "best", VERMILLION, "diamond", 11),
    ]
    numeric = all(type(value) in (int, float, type(None)) for value in values.values())
    for trace in data:
        chosen = [values[number] for number in trace["customdata"]]
        trace["x"] = chosen if numeric else [safe(cut(plain(value))) for value in chosen]
    numbers = data[0]["customdata"] or [0]
    step = {"dtick": 1} if max(numbers) - min(numbers) <= FEW else {}  # there is no candidate 1.5
    data[0]["marker"] |= {
        "color": data[0]["customdata"], "colorscale": [[0, BLUE], [1, ORANGE]],
        "colorbar": {"title": {"text": "candidate", "side": "right"}, "thickness": 12, **step},
    }  # fmt: skip
    x = {"title": {"text": safe(words)}, "type": "linear" if numeric else "category"}
    said = f"{candidates(len(others) + len(leading))} over {words}."
    return Chart([trace for trace in data if trace["x"]], layout_of(x, axis(score)), said)
