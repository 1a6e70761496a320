"""One small network of each family, for all that must hold of every module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import sqrt

import networkx as nx
import pytest
import torch
from torch import Tensor, fx, nn

from archgen import load, ops
from archgen.graph import Call, Graph
from archgen.spec import Net, parse

HEAD = "head: {block: pool_linear, classes: 5}"
TAIL = "head: {block: norm_pool_linear, classes: 5}"
STEM = "stem: {block: conv_norm, width: 8}"
FAMILIES: dict[str, list[str]] = {
    "resnet": [
        "stem: {block: conv_pool, width: 8, kernel: 3, stride: 1}",
        "stages: {block: bottleneck, depth: [2, 2], width: [8, 16], stride: [1, 2], expand: 2,"
        " groups: 4, shortcut: projection}",
        HEAD,
    ],
    "resnet_option_a": [
        STEM,
        "stages: {block: basic, depth: [2, 2], width: [8, 12], stride: [1, 2], shortcut: zero_pad}",
        HEAD,
    ],
    "preresnet": [
        "stem: {block: conv, width: 8}",
        "stages: {block: basic_preact, depth: [2, 1], width: [16, 24], stride: [1, 2],"
        " dropout: 0.3, shortcut: {join: add, source: activated}}",
        TAIL,
    ],
    "pyramidnet": [
        "stem: {block: conv_norm, width: 8, act: none}",
        "stages: {block: bottleneck_pyramid, depth: [2, 2], stride: [1, 2], expand: 2,"
        " width: {kind: additive, start: 8, alpha: 9},"
        " shortcut: {join: add, down: avg_pool, widen: zeros}}",
        TAIL,
    ],
    "dpn": [
        "stem: {block: conv_pool, width: 10, kernel: 3, stride: 1, eps: 0.001}",
        "stages: {block: bottleneck_preact_split, depth: [2, 3], stride: [1, 2], groups: 2,"
        " group_width: [4, 8], out: [16, 32], eps: 0.001, shortcut: {join: dual, grow: [4, 6]}}",
        "head: {block: norm_pool_linear, classes: 5, eps: 0.001}",
    ],
    "dual_basic": [
        STEM,
        "stages: {block: basic, depth: [3], width: [[8, 10, 12]],"
        " shortcut: {join: dual, grow: 4, widen: conv}}",
        HEAD,
    ],
    "drn": [
        STEM,
        "stages: {block: basic, depth: [1, 2], width: [8, 16], stride: [2, 1], dilation: [1, 2],"
        " shortcut: projection}",
        "degrid: {block: basic, depth: 1, width: 16}",
        HEAD,
    ],
    "dsnet": [
        STEM,
        "stages: {block: basic, depth: [3, 2], width: [8, 16], stride: [1, 2],"
        " shortcut: {join: dense}}",
        HEAD,
    ],
    "ds2net": [
        STEM,
        "stages: {block: bottleneck, depth: [3], width: 8, expand: 2,"
        " shortcut: {join: dense, norm: group, groups: 4, inner: true, taps: block}}",
        HEAD,
    ],
    "parnet": [
        "at2: {block: repvgg_sse, width: 8, stride: 2}",
        "at4: {block: repvgg_sse, width: 12, stride: 2}",
        "at8: {block: repvgg_sse, width: 16, stride: 2}",
        "body: {streams: 3, from: [at2, at4, at8], block: repvgg_sse, depth: [1, 2, 1],"
        " width: [8, 12, 16], down: {block: repvgg_sse}, fuse: {block: parnet_fuse}}",
        HEAD,
    ],
    "densenet": [
        "stem: {block: conv, width: 8}",
        "stages: {block: dense_bottleneck, depth: [2, 2], shortcut: {join: concat, grow: 4},"
        " between: {block: transition}}",
        TAIL,
    ],
    "repvgg": [
        "stages: {block: repvgg, depth: [2, 3], width: [8, 16], stride: 2,"
        " groups: {kind: cycle, of: [1, 1, 4, 1, 2]}}",
        HEAD,
    ],
    "pyramid_of_features": [
        "stem: {block: conv_norm, width: 8}",
        "stages: {block: basic, depth: [1, 1], width: [8, 16], stride: [1, 2],"
        " shortcut: projection}",
        "low: {block: conv_norm, from: stages.0, width: 16, stride: 2, act: elu}",
        "both: {block: sum, from: [stages, low]}",
        "head: {block: pool_linear, classes: 5, dropout: 0.2}",
    ],
}
OUTPUTS = {"pyramid_of_features": "[head, stages.0, both]"}


def family_net(name: str) -> Net:
    """Make one of them."""
    top = [f"name: {name}", "input: [3, 16, 16]"]
    if name in OUTPUTS:
        top.append(f"outputs: {OUTPUTS[name]}")
    return parse("\n".join([*top, "nodes:", *(f"  {node}" for node in FAMILIES[name])]))


SMALL = {224: 64, 256: 64, 32: 16}
"""A side that the strides of such specs still divide, for each side that they have."""


def small(name: str) -> Net:
    """Load a shipped spec, made for small images."""
    net = load(name)
    channels, *sides = net.input
    return net.set({"input": [channels, *(SMALL.get(side, side) for side in sides)]})


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Net:
    """Each of the small networks in turn."""
    return family_net(request.param)


@pytest.fixture(scope="session")
def families() -> dict[str, Net]:
    """All small networks."""
    return {name: family_net(name) for name in FAMILIES}


@pytest.fixture(autouse=True)
def repeatable() -> Iterator[None]:
    """Run each test on one thread, from one seed, and leave the thread count as it was."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def fits() -> Callable[[Graph, ops.Shape], bool]:
    """Tell whether a graph takes another image than its own."""

    def takes(graph: Graph, image: ops.Shape) -> bool:
        shapes = [image]
        try:
            for call in graph.calls[1:]:
                shapes.append(call.op.shape(*[shapes[source] for source in call.inputs]))
        except ops.Law:
            return False
        return True

    return takes


@pytest.fixture(scope="session")
def random_state() -> Callable[[nn.Module], dict[str, Tensor]]:
    """Give every tensor of a module random numbers, statistics of norms included, in float64."""

    def make(model: nn.Module) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(0)

        def tensor(key: str, like: Tensor) -> Tensor:
            if not like.is_floating_point():
                return torch.zeros((), dtype=torch.long)
            if like.dim() > 1:
                scale = sqrt(2 / like[0].numel())
                return torch.randn(like.shape, generator=generator, dtype=torch.float64) * scale
            if key.endswith(("running_var", "weight")):
                return 0.5 + torch.rand(like.shape, generator=generator, dtype=torch.float64)
            return 0.1 * torch.randn(like.shape, generator=generator, dtype=torch.float64)

        return {key: tensor(key, like) for key, like in model.state_dict().items()}

    return make


# --- a module as a graph ----------------------------------------------------------------------

MODULES = (ops.Conv, ops.Linear, ops.Norm, ops.GroupNorm, ops.Dropout)
FUNCTIONS = {
    ops.Mean: "mean",
    ops.DilatedPool: "mean",
    ops.Frame: "pad",
    ops.Flatten: "flatten",
    ops.Mul: "mul",
    ops.Times: "mul",
    ops.Weigh: "mul",
    ops.Cat: "cat",
    ops.Slice: "getitem",
    ops.Subsample: "getitem",
    ops.Shuffle: "channel_shuffle",
    ops.Pad: "pad",
    ops.Input: "input",
}


@pytest.fixture(scope="session")
def wired_as() -> Callable[[nn.Module, Graph, Tensor], bool]:
    """Tell whether a module, traced by fx, is a graph: operations, edges and shapes."""

    def same(model: nn.Module, graph: Graph, x: Tensor) -> bool:
        ours, traced = op_dag(graph), fx_dag(model, x)
        return bool(nx.is_isomorphic(ours, traced, node_match=lambda a, b: a == b))

    return same


def op_dag(graph: Graph) -> nx.DiGraph:
    """Label our operations as fx would; a sum of several maps is a chain of sums of two."""
    dag = nx.DiGraph()
    for index, call in enumerate(graph.calls):
        if isinstance(call.op, ops.Add):
            first, *others = call.inputs
            above: object = first
            for number, other in enumerate(others):
                here = index if number == len(others) - 1 else (index, number)
                dag.add_node(here, label="add", shape=call.shape)
                dag.add_edges_from([(above, here), (other, here)])
                above = here
            continue
        sources: Sequence[object] = call.inputs
        for number, (label, shape) in enumerate(steps(graph, call)):
            dag.add_node((index, number), label=label, shape=shape)
            dag.add_edges_from((source, (index, number)) for source in sources)
            sources = [(index, number)]
        label = call.name if isinstance(call.op, MODULES) else label_of(call.op)
        dag.add_node(index, label=label, shape=call.shape)
        dag.add_edges_from((source, index) for source in sources)
    return dag


def label_of(op: ops.Op) -> str:
    """Give the name of the function that gives an operation's result."""
    if isinstance(op, ops.Pool):
        return f"{op.kind}_pool2d"
    return FUNCTIONS.get(type(op)) or op.kind


def steps(graph: Graph, call: Call) -> Iterator[tuple[str, ops.Shape]]:
    """Give the functions that an operation's text calls before its last, with their results."""
    op, (channels, *sides) = call.op, call.shape
    if isinstance(op, ops.DilatedPool):
        past = op.dilation * (op.kernel - 1)
        reach = past + 1
        tall, wide = (side + past for side in graph.calls[call.inputs[0]].shape[1:])
        yield "pad", (channels, tall, wide)
        yield "unfold", (channels, sides[0], wide, reach)
        yield "getitem", (channels, sides[0], wide, op.kernel)
        yield "mean", (channels, sides[0], wide)
        yield "unfold", (channels, *sides, reach)
        yield "getitem", (channels, *sides, op.kernel)


def fx_dag(model: nn.Module, x: Tensor) -> nx.DiGraph:
    """Trace a module and find the shape of each node by running it."""
    traced = fx.symbolic_trace(model)
    shapes: dict[str, tuple[int, ...]] = {}

    class Shapes(fx.Interpreter):
        def run_node(self, n: fx.Node) -> object:
            result = super().run_node(n)
            if isinstance(result, Tensor):
                shapes[n.name] = tuple(result.shape[1:])
            return result

    Shapes(traced).run(x)
    dag = nx.DiGraph()
    for node in traced.graph.nodes:
        if node.op in ("output", "get_attr") or node.target == "view":
            continue  # a weight a channel is reached by get_attr and view
        label = str(getattr(node.target, "__name__", node.target))
        label = "input" if node.op == "placeholder" else label
        dag.add_node(node.name, label=label, shape=shapes[node.name])
        for source in node.all_input_nodes:
            if source.name in dag:
                dag.add_edge(source.name, node.name)
    return dag
