"""Stems and heads."""

from __future__ import annotations

import pytest

from archgen.errors import ArchError


@pytest.mark.parametrize(
    ("node", "wanted", "shape"),
    [
        ("{block: conv_pool, width: 64}", "conv(3>64,7/2) norm relu max_pool(3/2)", (64, 56, 56)),
        (
            "{block: conv_pool, width: 10, kernel: 3, stride: 1}",
            "conv(3>10,3) norm relu max_pool(3/2)",
            (10, 112, 112),
        ),
        ("{block: bare_conv_pool, width: 64}", "conv(3>64,7/2) max_pool(3/2)", (64, 56, 56)),
        ("{block: conv_norm, width: 16}", "conv(3>16,3) norm relu", (16, 224, 224)),
        ("{block: conv_norm, width: 16, act: none}", "conv(3>16,3) norm", (16, 224, 224)),
        ("{block: conv, width: 16}", "conv(3>16,3)", (16, 224, 224)),
        ("{block: pool_linear}", "mean flatten linear(3>1000)", (1000,)),
        (
            "{block: pool_linear, classes: 10, dropout: 0.1}",
            "mean flatten dropout linear(3>10)",
            (10,),
        ),
        ("{block: norm_pool_linear}", "norm relu mean flatten linear(3>1000)", (1000,)),
    ],
)
def test_operations(net, written, node: str, wanted: str, shape: tuple[int, ...]):
    graph = net(f"n: {node}", image=(3, 224, 224)).graph()
    assert written(graph, "n") == wanted
    assert graph.calls[-1].shape == shape


def test_only_the_linear_layer_has_a_bias(net):
    graph = net("s: {block: conv_pool, width: 8}", "h: {block: norm_pool_linear}").graph()
    biased = [call.name for call in graph.calls if getattr(call.op, "bias", False)]
    assert biased == ["h.linear"]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("{block: conv_pool}", "n.width: this field is required"),
        ("{block: conv_pool, width: 8, kernel: 4}", "n.kernel: a kernel must be odd"),
        ("{block: conv_pool, width: 8, kernel: 33}", "n.kernel: .* less than or equal to 31"),
        ("{block: pool_linear, classes: 0}", "n.classes: .* greater than or equal to 1, not 0"),
        ("{block: pool_linear, dropout: 1}", "n.dropout: .* less than 1, not 1"),
        ("{block: pool_linear, depth: 2}", "nodes.n.depth: block 'pool_linear' is no branch"),
        ("{block: pool_linear, shortcut: projection}", "nodes.n.shortcut: .* is no branch"),
        ("{block: conv, width: [8, 8]}", "nodes.n.width: without depth this is one block"),
    ],
)
def test_refusals(net, node: str, message: str):
    with pytest.raises(ArchError, match=f"^<text>:4: {message}"):
        net(f"n: {node}").graph()
