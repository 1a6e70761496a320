"""The folding pass: what becomes one convolution, and what must not.

tests/torch/test_deploy.py computes the weights and compares the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import pytest

from archgen import cost, files, load, source
from archgen.graph import Builder, Graph, Map, add, check
from archgen.ops import Conv, DilatedPool, Dropout, Op, Pool
from archgen.passes.fold import Normed, Own, fold
from archgen.regions import regions

Write = Callable[[Map], Map | list[Map]]


def graph(use: Write, image: tuple[int, int, int] = (8, 9, 9)) -> Graph:
    """Write a graph by hand."""
    builder = Builder(image)
    ends = use(builder.input)
    return builder.graph("hand", ends if isinstance(ends, list) else [ends])


def pool(x: Map, op: Op) -> Map:
    return x.builder.add("pool", op, x)


def left(use: Write, image: tuple[int, int, int] = (8, 9, 9)) -> str:
    """Give what folding leaves of it, in order, without the input."""
    folded = fold(graph(use, image)).graph
    check(folded)
    return " ".join(call.name for call in folded.calls[1:])


# --- every spec -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", files.names("specs"))
def test_a_folded_spec_is_sound_and_folds_no_further(name: str):
    graph = load(name).graph()
    folded = fold(graph)
    check(folded.graph)
    regions(folded.graph)
    source(folded.graph)
    again = fold(folded.graph)
    assert (again.graph.calls, again.kernels) == (folded.graph.calls, {})
    convs = {call.name for call in folded.graph.calls if isinstance(call.op, Conv)}
    assert set(folded.kernels) <= convs
    assert not any(isinstance(call.op, Dropout) for call in folded.graph.calls)
    before, after = cost(graph), cost(folded.graph)
    assert after.params <= before.params
    assert after.macs <= before.macs
    assert after.depth == before.depth
    names = {call.name for call in graph.calls}
    assert all(call.name in names for call in folded.graph.calls)
    assert [folded.graph.calls[end].shape for end in folded.graph.outputs] == [
        graph.calls[end].shape for end in graph.outputs
    ]


EXACT = {
    "parnet_s": 19_128_980,  # imankgoyal/NonDeepNetworks, deployed
    "repvgg_a0": 8_309_384,  # timm, reparametrised
}
ROUNDED = {
    "parnet_m": "35.6",
    "parnet_l": "54.9",
    "parnet_xl": "85.0",
}
TRUNCATED = {
    "repvgg_a0": "8.30",
    "repvgg_a1": "12.78",
    "repvgg_a2": "25.49",
    "repvgg_b0": "14.33",
    "repvgg_b1": "51.82",
    "repvgg_b1g4": "36.12",
    "repvgg_b2": "80.31",
    "repvgg_b2g4": "55.77",
    "repvgg_b3": "110.96",
    "repvgg_b3g4": "75.62",
}


def test_the_deploy_forms_have_the_papers_parameters():
    """Millions, as ParNet's (arXiv:2110.07641) and RepVGG's (arXiv:2101.03697) tables give them."""
    params = {
        name: cost(fold(load(name).graph()).graph).params for name in {*EXACT, *ROUNDED, *TRUNCATED}
    }
    assert {name: params[name] for name in EXACT} == EXACT
    for table, rounding in ((ROUNDED, ROUND_HALF_EVEN), (TRUNCATED, ROUND_DOWN)):
        for name, published in table.items():
            given = Decimal(published)
            assert (Decimal(params[name]) / 10**6).quantize(given, rounding) == given, name


def test_networks_that_end_in_plain_convolutions_lose_all_norms():
    for name in ("resnet50", "drn_c_26", "resnext50_32x4d", "repvgg_b1g4"):
        assert cost(fold(load(name).graph()).graph).buffers == 0
    # What normalises before the convolution, or reads a concatenation, keeps its norms.
    assert cost(fold(load("densenet40_k12_cifar").graph()).graph).buffers == 18_096


# --- norms ----------------------------------------------------------------------------------


def test_a_norm_goes_into_the_convolution_before_it():
    written = graph(lambda x: x.conv("conv", 4, 3, bias=True).norm("norm", 0.01))
    folded = fold(written)
    assert [call.name for call in folded.graph.calls] == ["input", "conv"]
    assert folded.graph.calls[1].op == Conv(8, 4, 3, padding=1, bias=True)
    assert folded.graph.outputs == (1,)
    conv, norm = written.calls[1].op, written.calls[2].op
    assert folded.kernels == {"conv": Normed(Own("conv", conv), "norm", norm)}


def test_norms_behind_norms_and_dropouts_go_too():
    assert left(lambda x: x.conv("conv", 4).dropout("drop", 0.5).norm("n1").norm("n2")) == "conv"


def test_dropout_goes():
    assert left(lambda x: x.act().dropout("drop", 0.5).mean()) == "relu mean"


@pytest.mark.parametrize(
    ("reason", "use", "stays"),
    [
        ("another reads it", lambda x: (y := x.conv("conv", 8)).norm("norm") + y, "conv norm add"),
        ("an output", lambda x: [y := x.conv("conv", 4), y.norm("norm")], "conv norm"),
        ("no convolution", lambda x: x.act().norm("norm"), "relu norm"),
        ("an activation", lambda x: x.conv("conv", 4).act().norm("norm"), "conv relu norm"),
        ("no batch norm", lambda x: x.conv("conv", 4).group_norm("norm", 2), "conv norm"),
    ],
)
def test_a_norm_stays_where(reason: str, use: Write, stays: str):
    assert left(use) == stays


# --- branches -------------------------------------------------------------------------------


def branches(*more: Callable[[Map], Map], **conv: int) -> Write:
    """Write the sum of a 3x3 convolution with its norm and other branches of one map."""
    options = {"kernel": 3, **conv}
    return lambda x: add(
        [x.conv("main", 8, **options).norm("main_norm"), *[branch(x) for branch in more]]
    )


@pytest.mark.parametrize("conv", [{}, {"dilation": 2}, {"groups": 4}, {"kernel": 5}, {"kernel": 1}])
def test_point_norm_and_identity_go_into_the_large_kernel(conv: dict[str, int]):
    groups = conv.get("groups", 1)
    use = branches(
        lambda x: x.conv("point", 8, groups=groups).norm("point_norm"),
        lambda x: x.norm("identity_norm"),
        lambda x: x,
        **conv,
    )
    assert left(use) == "main"
    assert left(lambda x: use(x).norm("last").act()) == "main relu"


def test_a_smaller_kernel_goes_into_a_larger():
    assert left(branches(lambda x: x.conv("small", 8, 3), kernel=5)) == "main"
    assert left(branches(lambda x: x.conv("small", 8, 3), kernel=5, dilation=2)) == "main small add"
    wide = branches(lambda x: x.conv("small", 8, 3, dilation=2), kernel=5)
    assert left(wide) == "main"


def test_narrower_groups_go_into_wider():
    assert left(branches(lambda x: x.conv("point", 8, groups=8), groups=2)) == "main"


def test_an_average_pool_before_a_point_convolution_goes():
    """A 3x3 kernel with stride 2 and padding 1 covers the windows of a 2x2 pool."""
    image = (8, 8, 8)
    pooled = branches(lambda x: x.avg_pool(2, 2).conv("point", 8).norm("n"), stride=2)
    assert left(pooled, image) == "main"
    padded = branches(lambda x: pool(x, Pool("avg", 3, 1, padding=1)).conv("point", 8))
    assert left(padded) == "main"
    assert left(branches(lambda x: x.avg_pool(2, 2), stride=2), image) == "main"


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 16])
def test_an_average_pool_that_output_stride_cut_goes_too(limit: int):
    net = load("parnet_s").set({"output_stride": limit})
    folded = fold(net.graph()).graph
    assert cost(folded).params == EXACT["parnet_s"]
    assert not any(isinstance(call.op, DilatedPool) for call in folded.calls)


def test_what_is_left_of_a_sum_stays_a_sum():
    gated = branches(lambda x: x.conv("point", 8), lambda x: x * x.gate("gate"))
    assert left(gated) == "main mean gate sigmoid mul add"
    several = fold(graph(gated)).graph
    assert [several.calls[i].name for i in several.calls[-1].inputs] == ["main", "mul"]


def test_sums_of_sums_fold_from_within():
    assert left(lambda x: branches(lambda x: x.conv("point", 8))(x) + x) == "main"


def test_operands_given_twice_count_twice():
    folded = fold(graph(branches(lambda x: x, lambda x: x)))
    assert len(folded.kernels["main"].kernels) == 3


@pytest.mark.parametrize(
    ("reason", "use", "stays"),
    [
        ("it reads another map", branches(lambda x: x.act().conv("b", 8)), "main relu b add"),
        ("an activation", branches(lambda x: x.conv("b", 8).act()), "main b relu add"),
        ("fewer groups", branches(lambda x: x.conv("b", 8, groups=2), groups=4), "main b add"),
        ("other dilation", branches(lambda x: x.conv("b", 8, 3), dilation=2), "main b add"),
    ],
)
def test_a_branch_stays_where(reason: str, use: Write, stays: str):
    assert left(use) == stays


def test_a_branch_that_another_reads_stays():
    def use(x: Map) -> list[Map]:
        y = x.conv("b", 8)
        return [x.conv("main", 8, 3) + y, y.act()]

    assert left(use) == "b main add relu"


def test_a_branch_that_is_an_output_stays():
    def use(x: Map) -> list[Map]:
        y = x.norm("b")
        return [x.conv("main", 8, 3) + y, y]

    assert left(use) == "b main add"


def test_a_large_kernel_that_another_reads_takes_nothing_up():
    def use(x: Map) -> Map:
        y = x.conv("main", 8, 3)
        return (y + x.conv("b", 8)) * y

    assert left(use) == "main b add mul"


def test_branches_of_another_stride_or_padding_stay():
    """Their windows lie elsewhere, though here their maps are of one size."""
    strides = branches(lambda x: x.conv("b", 8, stride=2))
    assert left(strides, (8, 1, 1)) == "main b add"

    def paddings(x: Map) -> Map:
        main, b = (
            x.builder.add(name, Conv(8, 8, 2, stride=3, padding=padding), x)
            for name, padding in (("main", 0), ("b", 1))
        )
        return main + b

    assert left(paddings, (8, 8, 8)) == "main b add"


@pytest.mark.parametrize(
    ("reason", "side", "use", "stays"),
    [
        (
            "ceil mode cuts its last window, if not at this size",
            8,
            lambda x: x.avg_pool(2, 2, ceil=True).conv("b", 8),
            "main avg_pool b add",
        ),
        (
            "its window is too wide",
            8,
            lambda x: pool(x, Pool("avg", 4, 2, padding=1)).conv("b", 8),
            "main pool b add",
        ),
        (
            "its windows are dilated",
            8,
            lambda x: pool(x, DilatedPool(2, 2, dilation=2)).conv("b", 8),
            "main pool b add",
        ),
        ("a maximum", 8, lambda x: x.max_pool(2, 2).conv("b", 8), "main max_pool b add"),
        (
            "another reads it",
            8,
            lambda x: (y := x.avg_pool(2, 2)).conv("b", 8) + y.act(),
            "main avg_pool b relu add add_2",
        ),
        (
            "the kernel behind it is larger",
            8,
            lambda x: x.avg_pool(2, 2).conv("b", 8, 3),
            "main avg_pool b add",
        ),
        (
            "a norm is between",
            8,
            lambda x: x.avg_pool(2, 2).norm("n").conv("b", 8),
            "main avg_pool n b add",
        ),
    ],
)
def test_a_pool_stays_where(reason: str, side: int, use: Callable[[Map], Map], stays: str):
    assert left(branches(use, stride=2), (8, side, side)) == stays
