"""``archgen papers``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from archgen.cli.console import one_line, print_json, print_table, print_text, terminal_width
from archgen.cli.options import Json

if TYPE_CHECKING:
    from archgen.view import AlphaRow, ClaimRow, FigureRow, PaperRow, Summary, VariantRow

MARKS = {"agrees": "=", "explained": "*", "unexplained": "?"}
ERRORS = {
    "ImageNet": ("imagenet_top1", "imagenet_top5"),
    "at 320x320": ("imagenet_320_top1", "imagenet_320_top5"),
    "with mean-max pooling": ("imagenet_320_meanmax_top1", "imagenet_320_meanmax_top5"),
    "CIFAR-10": ("cifar10",),
    "CIFAR-100": ("cifar100",),
}
"""Columns of published errors, and whose they are."""


def papers(
    family: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="One family: dpn, pyramidnet, drn, ...", show_default="all"
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Hold the networks against their papers: published figures, computed ones, claims.

    In a table, 37.7 M = 37.67 M is a published figure and the computed one, which agree within
    rounding; with * they differ for a reason that is known, with ? nothing explains it.

    Examples:
        archgen papers
        archgen papers --family dpn
        archgen papers --json
    """
    from archgen.spec import load
    from archgen.view import alpha_rows, claim_rows, paper_rows, summary

    nets = cache(load)
    found, claims = paper_rows(family, nets), claim_rows(family, nets)
    alphas = alpha_rows(nets) if family in ("", "pyramidnet") else []
    counted = summary(found)
    if json:
        print_json({"summary": counted, "papers": found, "claims": claims, "alphas": alphas})
        return
    for paper in found:
        _print_paper(paper)
        _print_claims([row for row in claims if row.family == paper.family])
    if alphas:
        _print_alphas(alphas)
    print_text(_told(counted, claims))


def _print_paper(paper: PaperRow) -> None:
    print_text(one_line(f"{paper.family}: {paper.title} (arXiv:{paper.arxiv})"))
    print_text("")
    if paper.variants:
        _print_figures(paper.variants)
    if any(variant.errors for variant in paper.variants):
        _print_errors(paper.variants)
    if paper.unpublished:
        _print_lines(f"without published figures: {', '.join(paper.unpublished)}")
        print_text("")


def _print_figures(variants: Sequence[VariantRow]) -> None:
    from archgen.view import COMPARED

    rows = {variant.name: {row.what: row for row in variant.figures} for variant in variants}
    kinds = [kind for kind in COMPARED if any(kind in row for row in rows.values())]
    cells = [
        (name, *(_cell(row[kind]) if kind in row else "" for kind in kinds))
        for name, row in rows.items()
    ]
    print_table(["network", *(f">{_heading(kind)}" for kind in kinds)], cells)
    print_text("")
    told = [*_reasons(variants)]
    deployed = [variant.name for variant in variants if variant.form == "deploy"]
    if deployed:
        told.append(f"{', '.join(deployed)}: the deploy form is counted, published and computed")
    if told:
        _print_lines(*told)
        print_text("")


def _heading(kind: str) -> str:
    return "MACs" if kind == "macs" else kind


def _reasons(variants: Sequence[VariantRow]) -> Iterator[str]:
    """Say why figures differ, each reason once."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for variant in variants:
        for row in variant.figures:
            if row.verdict != "agrees":
                names.setdefault((row.verdict, row.what, row.reason), []).append(variant.name)
    for (verdict, kind, reason), found in names.items():
        unexplained = "unexplained. " if verdict == "unexplained" else ""
        yield f"{MARKS[verdict]} {', '.join(found)}, {_heading(kind)}: {unexplained}{reason}"


def _cell(figure: FigureRow) -> str:
    return f"{figure.published} {MARKS[figure.verdict]} {figure.shown}"


def _print_errors(variants: Sequence[VariantRow]) -> None:
    columns = {
        heading: keys
        for heading, keys in ERRORS.items()
        if any(key in variant.errors for variant in variants for key in keys)
    }
    cells = [
        (variant.name, *(_pair([variant.errors.get(key) for key in keys])
                         for keys in columns.values()))
        for variant in variants
        if variant.errors
    ]  # fmt: skip
    print_text("errors in percent (top-1 / top-5), published, not reproduced here:")
    print_table(["network", *(f">{heading}" for heading in columns)], cells)
    print_text("")


def _pair(errors: list[str | None]) -> str:
    if not any(errors):
        return ""
    return " / ".join("-" if error is None else error.removesuffix(" %") for error in errors)


def _print_claims(claims: Sequence[ClaimRow]) -> None:
    if not claims:
        return
    cells = [(row.claim, row.says, row.computed, "yes" if row.holds else "no") for row in claims]
    print_table(["claim", "sources say", "computed", "holds"], cells)
    print_text("")
    reasons = [f"{row.claim}: {row.reason}" for row in claims if row.reason]
    if reasons:
        _print_lines(*reasons)
        print_text("")


def _print_alphas(alphas: Sequence[AlphaRow]) -> None:
    print_text("PyramidNet-110: parameters by alpha, widened in two ways to one last width")
    cells = [
        (row.alpha, f"{row.additive:,}", f"{row.ratio:g}", f"{row.multiplicative:,}", row.features)
        for row in alphas
    ]
    headings = [">additive alpha", ">params", ">multiplicative alpha", ">params", ">last width"]
    print_table(headings, cells)
    print_text("")


def _told(counted: Summary, claims: Sequence[ClaimRow]) -> str:
    """Sum up figures in one line, and claims in another where there are any."""
    figures = (
        f"{counted.variants} networks, {counted.figures} figures: {counted.agree} agree within "
        f"rounding, {counted.explained} differ for a known reason, {counted.unexplained} "
        "unexplained"
    )
    if not claims:
        return figures
    holds = sum(row.holds for row in claims)
    return f"{figures}\n{len(claims)} claims: {holds} hold, {len(claims) - holds} differ"


def _print_lines(*texts: str) -> None:
    """Print texts, each as lines of the terminal's width."""
    width = terminal_width()
    for text in texts:
        lines = [one_line(text)] if width is None else wrap(one_line(text), width)
        print_text("\n  ".join(lines))
