"""Random small specs: refused with a path, or built and equal to what PyTorch counts."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import archgen
from archgen.blocks import Block, Branch
from archgen.errors import ArchError
from archgen.graph import check
from archgen.spec import Net, parse

pytestmark = pytest.mark.torch

BRANCHES = sorted(kind for kind, block in Block.kinds.items() if issubclass(block, Branch))
ACTS = st.sampled_from(["relu", "silu", "elu", "leaky_relu", "none", "hardswish"])
WIDTHS = st.sampled_from([4, 6, 8, 12])
JOINS = st.one_of(
    st.sampled_from(["none", "projection", "zero_pad"]),
    st.fixed_dictionaries(
        {"join": st.just("add")},
        optional={
            "down": st.sampled_from(["conv", "avg_pool", "subsample"]),
            "widen": st.sampled_from(["conv", "zeros"]),
            "side": st.sampled_from(["end", "both"]),
            "source": st.sampled_from(["input", "activated"]),
        },
    ),
    st.fixed_dictionaries(
        {"join": st.just("dense")},
        optional={
            "taps": st.sampled_from(["branch", "block"]),
            "norm": st.sampled_from(["batch", "group", "none"]),
            "groups": st.sampled_from([1, 2, 3]),
            "affine": st.booleans(),
            "weight": st.booleans(),
            "inner": st.booleans(),
        },
    ),
    st.fixed_dictionaries(
        {"join": st.just("dual"), "grow": st.sampled_from([1, 2, 4])},
        optional={"widen": st.sampled_from(["conv", "zeros"])},
    ),
    st.fixed_dictionaries({"join": st.just("concat"), "grow": st.sampled_from([2, 4])}),
)


def columns(values: st.SearchStrategy[Any], depths: list[int]) -> st.SearchStrategy[Any]:
    """Write a field in any way: one value, one a stage, one a block, first and rest."""
    blocks = [st.lists(values, min_size=n, max_size=n) for n in depths]
    both = st.fixed_dictionaries({"first": values, "rest": values})
    each = [st.one_of(values, block, both) for block in blocks]
    return st.one_of(
        values,
        both,
        st.tuples(*each).map(list),
        st.lists(values, min_size=1, max_size=3).map(lambda of: {"kind": "cycle", "of": of}),
    )


def widths(depths: list[int]) -> st.SearchStrategy[Any]:
    growth = st.fixed_dictionaries(
        {"kind": st.just("additive"), "start": WIDTHS, "alpha": st.integers(-4, 12)}
    )
    steps = st.fixed_dictionaries(
        {"kind": st.just("geometric"), "start": WIDTHS, "ratio": st.sampled_from([1, 1.5, 2])}
    )
    return st.one_of(columns(WIDTHS, depths), growth, steps)


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a node of stages or a node of streams, with a field of the block here and there."""
    depths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    kind = draw(st.sampled_from(BRANCHES))
    fields = Block.kinds[kind].model_fields
    node: dict[str, Any] = {"block": kind, "depth": depths, "shortcut": draw(JOINS)}
    if draw(st.integers(0, 9)) or node["shortcut"] in ("none", "projection"):
        node["width"] = draw(widths(depths))
    options = {
        "stride": st.sampled_from([1, 2, 3]),
        "dilation": st.sampled_from([1, 2]),
        "groups": st.sampled_from([1, 2]),
        "expand": st.sampled_from([1, 2]),
        "dropout": st.just(0.5),
        "act": ACTS,
        "eps": st.sampled_from([1e-3, 1]),
        "kernel": st.sampled_from([1, 5]),
    }
    for name in sorted(options.keys() & fields.keys()):
        if draw(st.booleans()):
            node[name] = draw(columns(options[name], depths))
    if len(depths) > 1 and draw(st.integers(0, 4)) == 0:
        node["between"] = {"block": draw(st.sampled_from(["transition", "conv_norm", "conv_pool"]))}
        if node["between"]["block"] != "transition":
            node["between"]["width"] = draw(WIDTHS)
    return node


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a net: a stem, stages or streams, perhaps a fusion with an earlier stage, a head."""
    nodes: dict[str, Any] = {
        "stem": {"block": "conv_norm", "width": draw(WIDTHS), "act": draw(ACTS)}
    }
    if draw(st.integers(0, 3)) == 0:
        nodes |= {
            "at2": {"block": "conv_norm", "width": 8, "stride": 2},
            "at4": {"block": "conv_norm", "width": 12, "stride": 2},
        }
        kind = draw(st.sampled_from(["repvgg_sse", "repvgg", "basic", "dense_layer"]))
        nodes["body"] = {
            "streams": draw(st.integers(1, 3)),
            "from": ["stem", "at2", "at4"],
            "block": kind,
            "depth": draw(st.one_of(st.integers(1, 2), st.just([1, 2, 1]))),
            "width": [6, 8, 12],
            "shortcut": draw(JOINS),
            "down": {"block": draw(st.sampled_from(["repvgg_sse", "conv_norm"]))},
            "fuse": {"block": draw(st.sampled_from(["parnet_fuse", "sum", "concat"]))},
        }
    else:
        nodes["stages"] = draw(stacks())
        if draw(st.integers(0, 3)) == 0:
            fusion = draw(st.sampled_from(["sum", "concat", "parnet_fuse"]))
            nodes["both"] = {"block": fusion, "from": ["stages", "stages.0"]}
    nodes["head"] = {
        "block": draw(st.sampled_from(["pool_linear", "norm_pool_linear"])),
        "classes": 3,
    }
    spec = {"name": "drawn", "input": [3, *draw(st.sampled_from([(16, 16), (15, 18), (8, 8)]))]}
    if draw(st.integers(0, 5)) == 0:
        spec["output_stride"] = draw(st.sampled_from([1, 2, 4]))
    if draw(st.integers(0, 5)) == 0:
        spec["outputs"] = ["head", list(nodes)[-2]]
    return {**spec, "nodes": nodes}


@given(data=specs())
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_spec_is_refused_with_a_path_or_is_what_torch_makes_of_it(
    data: dict[str, Any], wired_as: Callable[..., bool]
):
    net, error = lowered(data)
    if error is not None:
        event("refused")
        assert error.path
        assert "\n" not in str(error)
        return
    event("built")
    graph = net.graph()
    check(graph)
    counts = archgen.cost(net)
    text = archgen.source(net)
    assert max(map(len, text.splitlines())) <= 100

    with torch.device("meta"):
        hollow = archgen.build(net, init=False).eval()
    with FlopCounterMode(display=False) as counter:
        hollow(torch.empty(1, *net.input, device="meta"))
    assert counter.get_total_flops() == 2 * counts.macs

    model = archgen.build(net).double()
    assert sum(p.numel() for p in model.parameters()) == counts.params
    buffers = [b for n, b in model.named_buffers() if not n.endswith("batches_tracked")]
    assert sum(b.numel() for b in buffers) == counts.buffers

    x = torch.randn(4, *net.input, dtype=torch.float64)
    assert wired_as(model, graph, x)
    outs = outputs(model, x)
    assert [tuple(out.shape[1:]) for out in outs] == [graph.calls[i].shape for i in graph.outputs]
    torch.stack([out.square().sum() for out in outs]).sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)

    again = parse(net.dump())
    assert again.data() == net.data()
    assert again.digest() == net.digest()
    assert archgen.source(again) == text


def lowered(data: dict[str, Any]) -> tuple[Net, ArchError | None]:
    try:
        net = Net.of(data)
        net.graph()
    except ArchError as error:
        return Net.model_construct(), error
    return net, None


def outputs(model: torch.nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    result = model(x)
    return result if isinstance(result, tuple) else (result,)


def test_the_specs_drawn_are_of_both_kinds():
    """A generator that is always refused would prove nothing."""
    built = refused = 0

    @given(specs())
    @settings(max_examples=100, database=None)
    def count(data: dict[str, Any]) -> None:
        nonlocal built, refused
        try:
            graph = Net.of(data).graph()
        except ArchError:
            refused += 1
            return
        built += 1
        assert prod(graph.calls[0].shape) > 0

    count()
    assert built >= 20
    assert refused >= 10
