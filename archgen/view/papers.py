"""The library held against its papers: published figures next to computed ones, as rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from archgen import files
from archgen.analysis import cost, last_map
from archgen.errors import ArchError, unknown
from archgen.passes.fold import fold
from archgen.spec import Compared, Figure, Net, Paper, Published, load
from archgen.view.library import Nets, matching

COMPARED: tuple[Compared, ...] = get_args(Compared)
"""What figures count."""
Verdict: TypeAlias = Literal["agrees", "explained", "unexplained"]


@dataclass(frozen=True)
class FigureRow:
    """A published figure next to the exact one.

    Args:
        what: ``params``, ``macs``, ``size``, ``depth``, ``resolution`` or ``features``.
        published: As it is printed.
        computed: The exact number; of ``size`` in bytes.
        shown: The exact number in the published one's unit, with one digit more.
        verdict: Whether the exact number, rounded, is the published one; else whether the spec
            explains why not.
        reason: What the spec says of a figure that does not agree.
    """

    what: Compared
    published: str
    computed: int
    shown: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class VariantRow:
    """A network of a paper.

    Args:
        name: Its spec.
        form: Which form the paper counts: ``training``, or ``deploy`` for the folded one.
        figures: What is published and can be computed.
        errors: Published error rates as printed, by data set; not reproduced here.
        note: What the spec says of its sources.
    """

    name: str
    form: str
    figures: tuple[FigureRow, ...]
    errors: Mapping[str, str]
    note: str


@dataclass(frozen=True)
class PaperRow:
    """A paper and its networks in the library.

    Args:
        family: What most of its networks are called (``dpn``).
        title: Its title.
        arxiv: Its number.
        variants: Networks with published figures.
        unpublished: Names of the specs without any.
    """

    family: str
    title: str
    arxiv: str
    variants: tuple[VariantRow, ...]
    unpublished: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """How many variants and figures were compared, and how many figures have which verdict."""

    variants: int
    figures: int
    agree: int
    explained: int
    unexplained: int


def paper_rows(family: str = "", nets: Nets = load) -> list[PaperRow]:
    """Compare each paper's figures with its specs', oldest paper first.

    Args:
        family: One family alone, as `PaperRow` calls it.
        nets: Gives shipped networks; one that keeps them saves time.

    Raises:
        ArchError: There is no such family, or a spec of the library is damaged.
    """
    papers: dict[str, list[tuple[Net, Paper]]] = {}
    for name in matching(files.names("specs"), ""):
        net = nets(name)
        if net.paper is not None and net.paper.arxiv is not None:
            papers.setdefault(net.paper.arxiv, []).append((net, net.paper))
    families = {_family(net.name for net, _ in papers[arxiv]): arxiv for arxiv in sorted(papers)}
    if family and family not in families:
        raise ArchError("", unknown("family", family, families))
    return [
        _paper(each, arxiv, papers[arxiv])
        for each, arxiv in families.items()
        if family in ("", each)
    ]


def summary(papers: Iterable[PaperRow]) -> Summary:
    """Count variants, figures and verdicts."""
    variants = [variant for paper in papers for variant in paper.variants]
    verdicts = Counter(figure.verdict for variant in variants for figure in variant.figures)
    counted = [verdicts[verdict] for verdict in get_args(Verdict)]
    return Summary(len(variants), sum(counted), *counted)


def compared(net: Net) -> tuple[FigureRow, ...]:
    """Compare a spec's published figures with its exact ones.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    if net.paper is None or not (given := _given(net.paper.published)):
        return ()
    exact = _exact(net, net.paper.published)
    return tuple(_figure(what, given[what], exact[what], net.paper.published) for what in given)


def _family(names: Iterable[str]) -> str:
    """Name a family as most of its networks are: by the letters in front of the first digit."""
    beginnings = Counter(re.split(r"[\d_]", name)[0] for name in names)
    return beginnings.most_common(1)[0][0]


def _paper(family: str, arxiv: str, specs: list[tuple[Net, Paper]]) -> PaperRow:
    variants, unpublished = [], []
    for net, paper in specs:
        figures = compared(net)
        errors = paper.published.errors.model_dump(mode="json", exclude_none=True)
        if figures or errors:
            form = paper.published.form
            variants.append(VariantRow(net.name, form, figures, errors, paper.note))
        else:
            unpublished.append(net.name)
    return PaperRow(family, specs[0][1].title, arxiv, tuple(variants), tuple(unpublished))


def _given(published: Published) -> dict[Compared, Figure | int]:
    found = {what: getattr(published, what) for what in COMPARED}
    return {what: figure for what, figure in found.items() if figure is not None}


def _exact(net: Net, published: Published) -> dict[Compared, int]:
    graph = net.graph()
    counts = cost(fold(graph).graph if published.form == "deploy" else graph)
    channels, height, _ = last_map(graph)
    return {
        "params": counts.params,
        "macs": counts.macs,
        "size": 4 * (counts.params + counts.buffers),
        "depth": counts.depth,
        "resolution": height,
        "features": channels,
    }


def _figure(what: Compared, given: Figure | int, exact: int, published: Published) -> FigureRow:
    if isinstance(given, Figure):
        agrees, shown = given.agrees(exact), given.write(exact)
    else:
        agrees, shown = given == exact, str(exact)
    reason = published.differs.get(what) or published.unexplained.get(what, "")
    verdict: Verdict = "explained" if what in published.differs else "unexplained"
    if agrees:
        verdict, reason = "agrees", ""
    return FigureRow(what, str(given), exact, shown, verdict, reason)
