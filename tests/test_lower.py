"""From nodes to operations: depth, names, sources, streams, outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archgen.errors import ArchError
from archgen.graph import Graph, check
from archgen.spec import Net

STEM = "stem: {block: conv, width: 8}"
TAPS = (
    "at2: {block: conv_norm, width: 8, stride: 2}",
    "at4: {block: conv_norm, width: 12, stride: 2}",
    "at8: {block: conv_norm, width: 16, stride: 2}",
)
STREAMS = (
    "body: {{streams: {n}, from: [at2, at4, at8], block: repvgg_sse, depth: [1, 1, 2],"
    " width: [8, 12, 16], down: {{block: repvgg_sse}}, fuse: {{block: parnet_fuse}}}}"
)


def modules(graph: Graph, level: int) -> list[str]:
    """List module paths of some length, in order."""
    paths = (call.name.split(".")[:-1] for call in graph.calls)
    return list(dict.fromkeys(".".join(path[:level]) for path in paths if len(path) >= level))


@pytest.mark.parametrize(
    ("depth", "wanted"),
    [
        ("", []),
        ("depth: 3, ", ["s.0", "s.1", "s.2"]),
        ("depth: [2, 1], ", ["s.0", "s.1"]),
        ("depth: 1, ", ["s.0"]),
    ],
)
def test_depth_makes_a_block_a_list_or_stages(net, depth: str, wanted: list[str]):
    graph = net(STEM, f"s: {{block: conv_norm, {depth}width: 8}}").graph()
    assert modules(graph, 2) == wanted
    check(graph)


def test_stages_hold_blocks(net):
    graph = net(
        STEM, "s: {block: conv_norm, depth: [2, 1], width: [8, 16], stride: [1, 2]}"
    ).graph()
    assert modules(graph, 3) == ["s.0.0", "s.0.1", "s.1.0"]
    assert [c.shape for c in graph.calls if c.name.endswith(".conv")] == [
        (8, 32, 32),
        (8, 32, 32),
        (8, 32, 32),
        (16, 16, 16),
    ]


def test_labels_are_what_classes_are_called(net):
    graph = net(
        STEM, "s: {block: basic, depth: [1, 1], width: [8, 16], shortcut: projection}"
    ).graph()
    assert graph.labels == {
        "stem": "conv",
        "s": "s",
        "s.0": "stage",
        "s.0.0": "basic",
        "s.1": "stage",
        "s.1.0": "basic",
        "s.1.0.shortcut": "projection",
    }


def test_a_node_reads_the_one_above_or_those_that_it_names(net):
    nodes = (
        STEM,
        "s: {block: conv_norm, depth: [1, 1], width: 8}",
        "low: {block: conv_norm, from: s.0, width: 8}",
        "raw: {block: conv_norm, from: input, width: 8}",
        "total: {block: sum, from: [s, low, raw]}",
    )
    dag = net(*nodes).graph().dag
    assert list(dag.predecessors("s.0.0.conv")) == ["stem.conv"]
    assert list(dag.predecessors("low.conv")) == ["s.0.0.relu"]
    assert list(dag.predecessors("raw.conv")) == ["input"]
    assert set(dag.predecessors("total.add")) == {"s.1.0.relu", "low.relu", "raw.relu"}


def test_several_outputs_in_the_order_of_the_spec(net):
    nodes = (STEM, "s: {block: conv_norm, depth: [1, 1], width: 8}", "head: {block: pool_linear}")
    graph = net(*nodes, outputs=["head", "s.0", "stem"]).graph()
    assert [graph.calls[i].name for i in graph.outputs] == [
        "head.linear",
        "s.0.0.relu",
        "stem.conv",
    ]
    assert net(*nodes).graph().outputs == (len(graph.calls) - 1,)


def test_dead_weights_are_refused_without_outputs(net):
    nodes = (STEM, "side: {block: conv, width: 4}", "s: {block: conv, from: stem, width: 8}")
    with pytest.raises(ArchError, match=r"^<text>:5: side\.conv: nothing reads its result"):
        net(*nodes).graph()
    assert "side.conv" not in net(*nodes, outputs=["s"]).graph().dag


def test_what_no_output_needs_is_left_out_and_the_rest_stays(net):
    """Later stages of a node too; a schedule over all blocks gives the values that it gave."""
    nodes = (
        STEM,
        "s: {block: bottleneck_pyramid, depth: [2, 2, 2], stride: [1, 2, 2],"
        " width: {kind: additive, start: 8, alpha: 12},"
        " shortcut: {join: add, down: avg_pool, widen: zeros}}",
        "head: {block: norm_pool_linear}",
    )
    whole = {call.name: call for call in net(*nodes).graph().calls}
    graph = net(*nodes, outputs=["s.1", "stem"]).graph()
    check(graph)
    assert graph.calls[-1].name == "s.1.1.add"
    assert all((call.op, call.shape) == whole[call.name][1::2] for call in graph.calls)
    assert {call.name[:3] for call in graph.calls[1:]} == {"ste", "s.0", "s.1"}


def test_streams_that_no_output_needs_are_left_out(net):
    graph = net(*TAPS, STREAMS.format(n=3), outputs=["body.at4"]).graph()
    assert {call.name.split(".")[1] for call in graph.calls if "body" in call.name} == {"at4"}


@pytest.mark.parametrize("outputs", [["s.0", "stem", "s.0"], ["s", "s.1"]])
def test_no_map_is_returned_twice(net, outputs: list[str]):
    nodes = (STEM, "s: {block: conv_norm, depth: [1, 1], width: 8}")
    message = rf"^<text>:3: outputs: {outputs[0]} and {outputs[-1]} are one map; name it once"
    with pytest.raises(ArchError, match=message):
        net(*nodes, outputs=outputs).graph()


def test_a_list_shares_no_state_between_stages(net):
    """Dense shortcuts stay inside their stage: 1 + 2 in each, not 1 + 2 + 3 + 4."""
    graph = net(STEM, "s: {block: basic, depth: [2, 2], width: 8, shortcut: {join: dense}}").graph()
    assert sum(".dense.weight" in call.name for call in graph.calls) == 6


@pytest.mark.parametrize(
    ("count", "taps"), [(1, ["at8"]), (2, ["at4", "at8"]), (3, ["at2", "at4", "at8"])]
)
def test_streams_use_the_last_entries_and_are_named_by_their_taps(net, count: int, taps: list[str]):
    graph = net(*TAPS, STREAMS.format(n=count)).graph()
    fuses = [f"{tap}_fuse" for tap in taps[1:]]
    wanted = taps + ([f"{taps[0]}_down", *fuses] if count > 1 else [])
    assert modules(graph, 2) == [f"body.{name}" for name in wanted]
    widths = {"at2": 8, "at4": 12, "at8": 16}
    for tap in taps:
        op = next(c.op for c in graph.calls if c.name == f"body.{tap}.0.spatial")
        assert (op.inp, op.out) == (widths[tap], widths[tap])
    assert "body.at8.1.spatial" in {call.name for call in graph.calls}
    assert graph.calls[-1].shape == (16, 4, 4)


def test_between_streams_width_and_stride_follow_from_the_next_stream(net, written):
    graph = net(*TAPS, STREAMS.format(n=3)).graph()
    ops = {call.name: call.op for call in graph.calls}
    down, fuse4, fuse8 = (
        ops[f"body.{name}.spatial"] for name in ("at2_down", "at4_fuse", "at8_fuse")
    )
    assert (down.inp, down.out, down.stride) == (8, 12, 2)
    assert (fuse4.inp, fuse4.out, fuse4.stride, fuse4.groups) == (24, 16, 2, 2)
    assert (fuse8.inp, fuse8.out, fuse8.stride) == (32, 16, 1)
    dag = graph.dag
    assert list(dag.predecessors("body.at8_fuse.stream_norm")) == ["body.at8.1.silu"]
    assert list(dag.predecessors("body.at8_fuse.fused_norm")) == ["body.at4_fuse.shuffle_2"]


def test_a_stream_can_be_an_output(net):
    graph = net(*TAPS, STREAMS.format(n=2), outputs=["body.at4", "body"]).graph()
    assert [graph.calls[i].shape for i in graph.outputs] == [(12, 8, 8), (16, 4, 4)]


def test_stages_may_be_tapped_by_streams(net):
    nodes = (
        "s: {block: conv_norm, depth: [1, 1], width: [8, 12], stride: 2}",
        "body: {streams: 2, from: [s.0, s.1], block: repvgg_sse, depth: 1, width: [8, 12],"
        " down: {block: repvgg_sse}, fuse: {block: parnet_fuse}}",
    )
    assert modules(net(*nodes).graph(), 2)[2:4] == ["body.s_0", "body.s_1"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("streams: 4", "nodes.body.streams: 4 streams need 4 maps in from, not 3"),
        ("streams: 0", "nodes.body.streams: .* greater than or equal to 1, not 0"),
        ("streams: 3, depth: [1, 1]", "nodes.body.depth: 2 values for 3 maps in from"),
        ("streams: 3, width: [8, 12]", "nodes.body.width: 2 values for 3 stages"),
        ("streams: 3, fuse: null", "nodes.body.fuse: more than one stream needs it"),
        ("streams: 3, down: null", "nodes.body.down: more than one stream needs it"),
        ("streams: 3, depth: null", "nodes.body.depth: streams need a depth"),
        ("streams: 3, down: {block: sum}", "nodes.body.down.block: block 'sum' cannot be here"),
        ("streams: 3, fuse: {block: conv}", "nodes.body.fuse.block: block 'conv' cannot be here"),
        ("streams: 3, from: [at2, at4, at4]", "nodes.body.from: two modules would have one name"),
        ("streams: 3, between: {block: transition}", "nodes.body.between: acts between stages"),
        ("down: {block: conv}", "nodes.body.down: acts only in a node with streams"),
    ],
)
def test_streams_refuse(net, body: str, message: str):
    fields: dict[str, str] = {
        "from": "[at2, at4, at8]",
        "block": "repvgg_sse",
        "depth": "1",
        "width": "[8, 12, 16]",
        "down": "{block: repvgg_sse}",
        "fuse": "{block: parnet_fuse}",
    }
    if "streams" not in body:
        fields = {"block": "repvgg_sse", "width": "16"}
    key_values = [part.split(": ", 1) for part in body.split(", ", 1 if "[" in body else -1)]
    fields.update(key_values)
    text = ", ".join(f"{key}: {value}" for key, value in fields.items())
    with pytest.raises(ArchError, match=f"^<text>:7: {message}"):
        net(*TAPS, f"body: {{{text}}}").graph()


def test_a_stream_may_not_be_called_as_what_joins_the_streams(net):
    body = (
        "body: {streams: 2, from: [a, a_down], block: repvgg_sse, depth: 1, width: 8,"
        " down: {block: repvgg_sse}, fuse: {block: parnet_fuse}}"
    )
    with pytest.raises(ArchError, match=r"nodes\.body\.from: two modules would have one name"):
        net("a: {block: conv, width: 8}", "a_down: {block: conv, width: 8}", body)


@pytest.mark.parametrize("inner", ["sum", "concat", "parnet_fuse"])
def test_between_takes_one_map(net, inner: str):
    node = f"s: {{block: basic, depth: [1, 1], width: 8, between: {{block: {inner}}}}}"
    with pytest.raises(ArchError, match=r"nodes\.s\.between\.block: .*between reads one map"):
        net(STEM, node)


def test_a_branch_may_stand_between_stages(net, written):
    node = "s: {block: basic, depth: [1, 1], width: 8, between: {block: conv_norm, width: 4}}"
    assert written(net(STEM, node).graph(), "s.1.0") == "conv(8>4,3) norm relu"


@pytest.mark.parametrize(
    ("build", "size", "message"),
    [
        # ParNet halves with a floor on one side and a ceiling on the other: 30 -> 15 -> 7 and 8.
        ("parnet", 30, r"at4\.add: maps of 12x8x8 and 12x7x7 cannot be added"),
        ("bottleneck", 8, None),  # PyTorch runs ResNet-50 on 8x8: every padded map keeps 1x1
        ("densenet", 8, r"s\.2\.0\.avg_pool: a 1x1 map is too small for a 2x2 window"),
    ],
)
def test_sizes_that_reach_zero(net, build: str, size: int, message: str | None):
    nodes: dict[str, tuple[str, ...]] = {
        "parnet": (
            "at2: {block: repvgg_sse, width: 8, stride: 2}",
            "at4: {block: repvgg_sse, width: 12, stride: 2}",
        ),
        "bottleneck": (
            "stem: {block: conv_pool, width: 8}",
            "s: {block: bottleneck, depth: [1, 1, 1, 1], width: 4, stride: [1, 2, 2, 2],"
            " shortcut: projection}",
        ),
        "densenet": (
            "stem: {block: conv_pool, width: 8}",
            "s: {block: dense_layer, depth: [1, 1, 1, 1], shortcut: {join: concat, grow: 4},"
            " between: {block: transition}}",
        ),
    }
    made: Callable[[], Graph] = net(*nodes[build], image=(3, size, size)).graph
    if message is None:
        assert made().calls[-1].shape[1:] == (1, 1)
        return
    with pytest.raises(ArchError, match=message):
        made()


def test_a_net_is_lowered_once(net):
    made: Net = net(STEM)
    assert made.graph() is made.graph()
