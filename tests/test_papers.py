"""Specs against their papers: figures as printed, and a true reason for each that disagrees."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest

from archgen import cost, files, load
from archgen.analysis import last_map
from archgen.errors import ArchError
from archgen.graph import Graph
from archgen.ops import Conv, GroupNorm, Norm
from archgen.spec import Figure, Net
from archgen.view.papers import FigureRow, compared, paper_rows, summary

# Each table as its source prints it; a dash where a row gives nothing.
TABLES = {
    "params macs": """
dpn68            -        2.5 G
dpn68b           -        2.5 G
dpn92            37.7 M   6.5 G
dpn98            61.6 M   11.7 G
dpn131           -        16.0 G
dpn107           -        18.3 G
""",
    "size imagenet_top1 imagenet_top5 imagenet_320_top1 imagenet_320_top5"
    " imagenet_320_meanmax_top1 imagenet_320_meanmax_top5": """
dpn68            49 MB    23.57 %  6.93 %  22.15 %  5.90 %  21.51 %  5.52 %
dpn68b           49 MB    22.45 %  6.09 %  20.92 %  5.26 %  20.62 %  5.07 %
dpn92            145 MB   20.73 %  5.37 %  19.34 %  4.66 %  19.04 %  4.53 %
dpn98            236 MB   20.15 %  5.15 %  18.94 %  4.44 %  18.72 %  4.40 %
dpn131           304 MB   19.93 %  5.12 %  18.62 %  4.23 %  18.55 %  4.16 %
dpn107           333 MB   19.75 %  4.94 %  18.34 %  4.19 %  18.15 %  4.03 %
""",
    "params features cifar10 cifar100": """
pyramidnet110_mul_a4_75  1.7 M    76    4.62 %  23.16 %
pyramidnet110_a48        1.7 M    64    4.62 %  23.31 %
pyramidnet110_mul_a8     3.8 M    128   4.50 %  20.94 %
pyramidnet110_a84        3.8 M    100   4.27 %  20.21 %
pyramidnet110_mul_a27    28.3 M   432   4.06 %  18.79 %
pyramidnet110_a270       28.3 M   286   3.73 %  18.25 %
pyramidnet164_a48        1.7 M    256   4.21 %  19.52 %
pyramidnet164_a84        3.8 M    400   3.96 %  18.32 %
pyramidnet164_a270       27.0 M   1144  3.48 %  17.01 %
pyramidnet200_a240       26.6 M   1024  3.44 %  16.51 %
pyramidnet236_a220       26.8 M   944   3.40 %  16.37 %
pyramidnet272_a200       26.0 M   864   3.31 %  16.35 %
""",
    "params features imagenet_top1 imagenet_top5": """
pyramidnet200_a300_imagenet  62.1 M   1456  20.47 %  5.29 %
pyramidnet200_a450_imagenet  116.4 M  2056  20.11 %  5.43 %
pyramidnet101_a360_imagenet  42.5 M   1696  21.98 %  6.20 %
preresnet200                 64.5 M   2048  21.66 %  5.79 %
""",
    "params imagenet_top1 imagenet_top5": """
resnet18         11.7 M   30.4 %   10.8 %
resnet34         21.8 M   27.7 %   8.7 %
resnet50         25.6 M   24.0 %   7.0 %
resnet101        44.5 M   22.4 %   6.2 %
resnet152        60.2 M   22.2 %   6.2 %
drn_a_18         11.7 M   28.0 %   9.5 %
drn_a_34         21.8 M   24.8 %   7.5 %
drn_a_50         25.6 M   22.9 %   6.6 %
drn_b_26         21.1 M   25.19 %  7.91 %
drn_c_26         21.1 M   24.9 %   7.6 %
drn_c_42         31.2 M   22.9 %   6.6 %
drn_c_58         41.6 M   21.7 %   6.0 %
drn_d_22         16.4 M   25.8 %   8.2 %
drn_d_38         26.5 M   23.8 %   6.9 %
drn_d_54         35.8 M   21.2 %   5.9 %
drn_d_105        54.8 M   20.6 %   5.5 %
drn_d_24         -        -        -
drn_d_40         -        -        -
drn_d_56         -        -        -
drn_d_107        -        -        -
wide_resnet50_2  -        21.9 %   5.79 %
""",
    "params cifar10 cifar100": """
densenet40_k12_cifar      1.0 M   5.24 %  24.42 %
densenet100_k12_cifar     7.0 M   4.10 %  20.20 %
densenet100_k24_cifar     27.2 M  3.74 %  19.25 %
densenet100_k12_bc_cifar  0.8 M   4.51 %  22.27 %
densenet250_k24_bc_cifar  15.3 M  3.62 %  17.60 %
densenet190_k40_bc_cifar  25.6 M  3.46 %  17.18 %
densenet121               8.0 M   -       -
densenet169               14.1 M  -       -
densenet201               20.0 M  -       -
densenet264               33.3 M  -       -
resnet20_cifar            -       8.75 %  -
resnet32_cifar            -       7.51 %  -
resnet44_cifar            -       7.17 %  -
resnet56_cifar            -       6.97 %  -
resnet110_cifar           1.70 M  6.43 %  -
preresnet110_cifar        1.70 M  4.94 %  23.65 %
preresnet164_cifar        -       5.46 %  24.33 %
preresnet1001_cifar       -       4.92 %  22.71 %
resnext29_8x64d_cifar     34.4 M  3.65 %  17.77 %
resnext29_16x64d_cifar    68.2 M  3.58 %  17.31 %
wrn40_4                   8.9 M   -       -
wrn28_10                  36.5 M  4.00 %  19.25 %
wrn40_10                  55.8 M  3.8 %   18.3 %
parnet_s                  19 M    -       -
repvgg_a0                 8.3 M   -       -
""",
}
UNEXPLAINED = {
    ("dpn68", "macs"),
    ("dpn68b", "macs"),
    ("densenet264", "depth"),
    ("pyramidnet110_a270", "params"),
}


@cache
def net(name: str) -> Net:
    return load(name)


@cache
def rows() -> dict[tuple[str, str], FigureRow]:
    """Give all compared figures by spec and what they count."""
    return {
        (variant.name, figure.what): figure
        for paper in paper_rows()
        for variant in paper.variants
        for figure in variant.figures
    }


def printed(name: str, key: str) -> str:
    """Give a published figure of a spec as its text; a dash for none."""
    paper = net(name).paper
    assert paper is not None
    given = paper.published
    found = getattr(given if hasattr(given, key) else given.errors, key)
    return "-" if found is None else str(found)


@pytest.mark.parametrize("keys", TABLES)
def test_figures_are_those_that_are_printed(keys: str) -> None:
    for line in TABLES[keys].strip().splitlines():
        name, *cells = re.split(r"  +", line)
        assert [printed(name, key) for key in keys.split()] == cells, name


@pytest.mark.parametrize("name", files.names("specs"))
def test_each_disagreement_has_one_reason_and_nothing_else_has(name: str) -> None:
    paper = net(name).paper
    assert paper is not None
    given = paper.published
    figures = compared(net(name))
    disagree = {figure.what for figure in figures if figure.verdict != "agrees"}
    assert disagree == {*given.differs, *given.unexplained}
    assert not {*given.differs} & {*given.unexplained}


def test_what_is_not_explained() -> None:
    assert {key for key, row in rows().items() if row.verdict == "unexplained"} == UNEXPLAINED


# --- whether the reasons are true ----------------------------------------------------------


def weights(graph: Graph) -> int:
    """Count parameters without norms."""
    return sum(c.op.param_count for c in graph.calls if not isinstance(c.op, Norm | GroupNorm))


def cut(graph: Graph) -> int:
    """Count parameters without norms, cut after one decimal of a million."""
    return int(Decimal(weights(graph)).quantize(Decimal("1e5"), ROUND_DOWN))


def convolutions(graph: Graph) -> int:
    """Count the parameters of convolutions."""
    return sum(call.op.param_count for call in graph.calls if isinstance(call.op, Conv))


def with_dead_projection(graph: Graph) -> int:
    """Count the 1x1 convolution and norm, 2048 -> 512, that DRN-C's code never uses, as well."""
    return cost(graph).params + 2048 * 512 + 2 * 512


def size_rounded_up(graph: Graph) -> int:
    """Give the MB of parameters and running statistics, rounded up, in bytes."""
    counts = cost(graph)
    return -(-4 * (counts.params + counts.buffers) // 2**20) * 2**20


def floored(graph: Graph) -> int:
    """Count parameters without norms, each width of a PyramidNet the floor of the real one."""
    spec = net(graph.name)
    widths = spec.get("stages.width")
    depths = spec.get("stages.depth")
    units, alpha = sum(depths), widths["alpha"]
    if widths["kind"] == "additive":
        real = [widths["start"] + alpha * k / units for k in range(1, units + 1)]
    else:
        real = [widths["start"] * alpha ** (k / units) for k in range(1, units + 1)]
    whole = [int(width + 1e-9) for width in real]
    ends = list(accumulate(depths))
    stages = [whole[end - depth : end] for end, depth in zip(ends, depths, strict=True)]
    return weights(spec.set({"stages.width": stages}).graph())


EXPLAINED: dict[tuple[str, str], list[Callable[[Graph], int]]] = {
    **{(f"dpn{name}", "size"): [size_rounded_up] for name in ("68", "68b", "92", "131", "107")},
    **{
        (name, "params"): [weights]
        for name in """
        pyramidnet110_mul_a4_75 pyramidnet110_mul_a27 pyramidnet200_a240 pyramidnet236_a220
        pyramidnet272_a200 pyramidnet200_a300_imagenet pyramidnet200_a450_imagenet preresnet200
        """.split()
    },
    **{
        (name, "params"): [cut, floored]
        for name in ("pyramidnet110_a48", "pyramidnet110_a84", "pyramidnet110_mul_a8")
    },
    ("pyramidnet164_a270", "params"): [convolutions],
    ("drn_c_58", "params"): [with_dead_projection],
}
"""What counts to the published figure."""
QUOTED = {("resnet110_cifar", "params"), ("preresnet110_cifar", "params")}
"""Figures whose last digit is another source's."""


@pytest.mark.parametrize("key", EXPLAINED)
def test_reasons_give_the_published_figures(key: tuple[str, str]) -> None:
    figure = Figure(printed(*key))
    assert rows()[key].verdict == "explained"
    for count in EXPLAINED[key]:
        assert figure.agrees(count(net(key[0]).graph())), count.__name__


def test_every_explanation_was_tried() -> None:
    explained = {key for key, row in rows().items() if row.verdict == "explained"}
    depths = {(name, "depth") for name in "wrn16_8 wrn28_10 wrn40_2 wrn40_4 wrn40_10".split()}
    assert explained == {*EXPLAINED, *QUOTED, *depths}


@pytest.mark.parametrize("key", sorted(key for key in UNEXPLAINED | {*EXPLAINED} | QUOTED))
def test_numbers_in_a_reason_are_true(key: tuple[str, str]) -> None:
    graph = net(key[0]).graph()
    counts = cost(graph)
    true = [counts.params, counts.macs, 4 * (counts.params + counts.buffers)]
    true += [weights(graph), convolutions(graph), 2048 * 512 + 2 * 512]
    if key[0].startswith("pyramidnet"):
        true += [floored(graph), 28_300_000]
    for text in re.findall(r"\d+\.\d+ (?:MB|M|G)\b", rows()[key].reason):
        assert any(Figure(text).agrees(number) for number in true), text


def test_wide_resnet_depths_are_numbers_of_convolutions() -> None:
    for name in "wrn16_8 wrn28_10 wrn40_2 wrn40_4 wrn40_10".split():
        found = [c.name for c in net(name).graph().calls if isinstance(c.op, Conv)]
        assert str(len(found)) == printed(name, "depth")
        assert len([path for path in found if "shortcut" in path]) == 3


def test_floored_widths_do_not_explain_all() -> None:
    graph = net("pyramidnet110_mul_a27").graph()
    assert not Figure("28.3 M").agrees(floored(graph))
    assert Figure("28.22 M").agrees(floored(graph))


def test_the_page_names_every_disagreement() -> None:
    page = (Path(__file__).parent.parent / "docs" / "papers.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("| ")]
    for (name, what), row in rows().items():
        named = [line for line in table if re.search(rf"\b{name}\b", line)]
        kind = "MACs" if what == "macs" else what
        told = [line for line in named if f"| {kind} |" in line]
        assert bool(told) is (row.verdict != "agrees"), (name, what)
        assert all(("unexplained" in line) is (row.verdict == "unexplained") for line in told)


# --- rows ----------------------------------------------------------------------------------


def test_papers_come_in_their_order_and_by_their_families() -> None:
    papers = paper_rows()
    assert [paper.family for paper in papers] == (
        "resnet preresnet wrn densenet pyramidnet resnext drn dpn dsnet repvgg parnet".split()
    )
    every = [v.name for paper in papers for v in paper.variants]
    every += [name for paper in papers for name in paper.unpublished]
    assert sorted(every) == files.names("specs")
    (dpn,) = paper_rows("dpn")
    assert dpn == papers[7]
    assert dpn.title == "Dual Path Networks"
    assert dpn.unpublished == ("dpn32_cifar", "dpn_digits")


def test_a_figure_stands_next_to_the_exact_one() -> None:
    row = rows()["dpn92", "params"]
    assert (row.published, row.computed, row.shown) == ("37.7 M", 37_668_392, "37.67 M")
    assert (row.verdict, row.reason) == ("agrees", "")
    row = rows()["pyramidnet110_a270", "params"]
    assert (row.published, row.shown, row.verdict) == ("28.3 M", "28.49 M", "unexplained")
    assert "28.43 M" in row.reason
    assert rows()["dpn131", "size"].computed == 4 * (79_254_504 + 223_360)
    assert rows()["dpn131", "size"].shown == "303.2 MB"


def test_summary_counts_what_is_there() -> None:
    counted = summary(paper_rows())
    verdicts = [row.verdict for row in rows().values()]
    assert counted.figures == len(verdicts) == 230
    assert counted.variants == 98
    assert counted.agree == verdicts.count("agrees")
    assert counted.explained == verdicts.count("explained")
    assert counted.unexplained == verdicts.count("unexplained") == len(UNEXPLAINED)


def test_unknown_family() -> None:
    with pytest.raises(ArchError, match="no family 'dpm'; did you mean 'dpn'") as caught:
        paper_rows("dpm")
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("dpn131", (2688, 7, 7)),
        ("drn_c_26", (512, 28, 28)),
        ("parnet_s", (1280, 7, 7)),
        ("pyramidnet110_a48", (64, 8, 8)),
    ],
)
def test_last_map(name: str, shape: tuple[int, int, int]) -> None:
    assert last_map(net(name).graph()) == shape


def test_last_map_of_a_network_without_a_head() -> None:
    trunk = {"name": "trunk", "input": [3, 8, 8], "nodes": {"stem": {"block": "conv", "width": 4}}}
    assert last_map(Net.of(trunk).graph()) == (4, 8, 8)
