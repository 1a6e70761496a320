"""The law of output_stride: the dense map, taken at every s-th position, is the strided map."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

import archgen
from archgen import files
from archgen.analysis import strides
from archgen.spec import Net

pytestmark = pytest.mark.torch

CHAINS = {
    "3x3": "s: {block: conv_norm, depth: 5, width: 6, stride: [2, 1, 2, 2, 1]}",
    "mixed kernels": "s: {block: conv_norm, depth: 4, width: 6, kernel: [5, 1, 3, 7],"
    " stride: [2, 2, 2, 1]}",
    "dilated already": "s: {block: conv_norm, depth: 4, width: 6, dilation: [1, 2, 2, 3],"
    " stride: [2, 2, 1, 2]}",
    "stride 3": "s: {block: conv_norm, depth: 4, width: 6, stride: [2, 3, 1, 2]}",
    "residual": "s: {block: basic, depth: [2, 2, 2], width: 6, stride: 2, shortcut: projection}",
    "option A": "s: {block: basic, depth: [2, 2], width: [6, 9], stride: 2, shortcut: zero_pad}",
    "pre-activation": "s: {block: bottleneck_preact, depth: [2, 2], width: 4, stride: 2, groups: 2,"
    " shortcut: {join: add, source: activated}}",
    "dual path": "s: {block: bottleneck_preact, depth: [2, 2], width: 4, stride: [2, 2],"
    " shortcut: {join: dual, grow: 3}}",
    "repvgg": "s: {block: repvgg, depth: [2, 2], width: [6, 9], stride: 2}",
    "dense": "s: {block: basic, depth: [2, 2], width: [6, 9], stride: 2, shortcut: {join: dense}}",
    "transitions": "s: {block: dense_bottleneck, depth: [2, 2, 2],"
    " shortcut: {join: concat, grow: 4}, between: {block: transition}}",
    "average pools": "s: {block: bottleneck_pyramid, depth: [2, 2], stride: [2, 3],"
    " width: {kind: additive, start: 6, alpha: 8},"
    " shortcut: {join: add, down: avg_pool, widen: zeros}}",
    "gates": "s: {block: repvgg_sse, depth: [2, 2, 2], width: [6, 9, 12], stride: 2}",
    "squeeze and excitation": "s: {block: basic, depth: [2, 2], width: 6, stride: 2, se: 2,"
    " shortcut: projection}",
}
GATES = ("gate", "se.expand")
"""Convolutions whose sigmoid gates a map; without weights they give constants."""
GLOBAL = {
    "gates": CHAINS["gates"],
    "squeeze and excitation": CHAINS["squeeze and excitation"],
    "group norm": "s: {block: basic, depth: [2, 2], width: [6, 9], stride: 2,"
    " shortcut: {join: dense, norm: group, groups: 3}}",
}
"""What sees a whole map."""
SMALL = {32: (64, 8), 8: (32, 4), 4: (16, 1), 2: (16, 1)}
"""For the stride of a shipped network: a side and a limit at which it runs in moments."""


def lively(net: Net) -> nn.Module:
    """Build a net in float64 with random norms, and gates that are constants."""
    model = archgen.build(net).double().eval()
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif name.endswith(GATES):
            nn.init.zeros_(module.weight)
    return model


def twin(model: nn.Module, net: Net) -> nn.Module:
    """Build another net around the same weights."""
    with torch.device("meta"):
        other = archgen.build(net, init=False).eval()
    other.load_state_dict(model.state_dict(), assign=True)
    return other


@torch.no_grad()
def maps(model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    result = model(x)
    return result if isinstance(result, tuple) else (result,)


def follows(strided: Tensor, dense: Tensor) -> bool:
    """Tell whether a map is another one's pixels, to 1e-12 of the largest value."""
    step = dense.shape[-1] // strided.shape[-1]
    taken = dense[:, :, ::step, ::step]
    close = 1e-12 * float(strided.abs().max())
    return taken.shape == strided.shape and float((taken - strided).abs().max()) <= close


@pytest.mark.parametrize("limit", [4, 2, 1])
@pytest.mark.parametrize("chain", CHAINS)
def test_the_dense_map_subsampled_is_the_strided_map(net, chain: str, limit: int):
    """Exact everywhere: zero padding stands at the same distance in input pixels."""
    nodes = ("stem: {block: conv, width: 4}", CHAINS[chain])
    strided = net(*nodes, image=(3, 48, 48))
    dense = net(*nodes, image=(3, 48, 48), output_stride=limit)
    model, x = lively(strided), torch.randn(2, 3, 48, 48, dtype=torch.float64)
    (small,), (large,) = maps(model, x), maps(twin(model, dense), x)
    assert tuple(large.shape[1:]) == dense.graph().calls[-1].shape
    assert follows(small, large)


@pytest.mark.parametrize("limit", [2, 1])
@pytest.mark.parametrize("stem", ["conv_pool", "bare_conv_pool"])
def test_a_max_pool_is_cut_as_well(net, stem: str, limit: int):
    """Without a norm and ReLU before it, zeros around the map would not do."""
    nodes = (f"stem: {{block: {stem}, width: 4}}", CHAINS["3x3"])
    strided = net(*nodes, image=(3, 64, 64))
    model, x = lively(strided), torch.randn(2, 3, 64, 64, dtype=torch.float64)
    dense = twin(model, net(*nodes, image=(3, 64, 64), output_stride=limit))
    (small,), (large,) = maps(model, x), maps(dense, x)
    assert large.shape[-1] == 64 // limit
    assert follows(small, large)


@pytest.mark.parametrize("chain", GLOBAL)
def test_what_sees_the_whole_map_breaks_the_law(net, chain: str):
    nodes = ("stem: {block: conv, width: 4}", GLOBAL[chain])
    strided = net(*nodes, image=(3, 48, 48))
    model, x = lively(strided), torch.randn(2, 3, 48, 48, dtype=torch.float64)
    for name, module in model.named_modules():
        if name.endswith(GATES):
            nn.init.normal_(module.weight)
    dense = twin(model, net(*nodes, image=(3, 48, 48), output_stride=1))
    (small,), (large,) = maps(model, x), maps(dense, x)
    assert not follows(small, large)


def places(net: Net) -> Iterator[str]:
    """Give all that `outputs` may name and that is a map: nodes, stages and streams."""
    for name, node in net.nodes.items():
        if node.streams:
            taps = [source.replace(".", "_") for source in node.sources]
            yield from (f"{name}.{tap}" for tap in taps[-node.streams :])
        if isinstance(node.depth, list) and not node.streams:
            yield from (f"{name}.{stage}" for stage, _ in enumerate(node.depth))
        elif not node.block.endswith("pool_linear"):
            yield name


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_shipped_network_keeps_the_law_in_every_map(name: str):
    """Each stage's map and the last before the head; ParNet's gates are held constant."""
    net = archgen.load(name)
    side, limit = SMALL[max(strides(net.graph()))]
    strided = net.set({"input": [net.input[0], side, side], "outputs": list(places(net))})
    dense = strided.set({"output_stride": limit})
    model, x = lively(strided), torch.randn(1, *strided.input, dtype=torch.float64)
    with torch.no_grad():
        for small, large, end in zip(
            model(x), twin(model, dense)(x), dense.graph().outputs, strict=True
        ):
            assert tuple(large.shape[1:]) == dense.graph().calls[end].shape
            assert follows(small, large)
    assert large.shape[-1] == side // limit


@pytest.mark.parametrize("limit", [8, 16])
@pytest.mark.parametrize(
    ("name", "last", "channels"),
    [("resnet50", "stages", 2048), ("dpn92", "stages", 2688), ("parnet_s", "at32", 1280)],
)
def test_shipped_networks_at_full_size(name: str, last: str, channels: int, limit: int):
    net = archgen.load(name)
    dense = net.set({"output_stride": limit})
    assert archgen.cost(dense).params == archgen.cost(net).params
    with torch.device("meta"):
        model, plain = archgen.build(dense, init=False).eval(), archgen.build(net, init=False)
    seen: list[tuple[int, ...]] = []
    model.get_submodule(last).register_forward_hook(lambda m, i, o: seen.append(tuple(o.shape)))
    assert model(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 1000)
    assert seen == [(1, channels, 224 // limit, 224 // limit)]
    shapes = {key: t.shape for key, t in plain.state_dict().items()}
    assert {key: t.shape for key, t in model.state_dict().items()} == shapes


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_the_dense_text_computes_the_dense_graph(
    family: Net, limit: int, wired_as: Callable[..., bool]
):
    dense = family.set({"output_stride": limit, "input": [3, 16, 16]})
    model = archgen.build(dense)
    assert wired_as(model.eval(), dense.graph(), torch.randn(2, 3, 16, 16))
    assert max(map(len, archgen.source(dense).splitlines())) <= 100
    outs = maps(model, torch.randn(2, 3, 16, 16))
    ends = [dense.graph().calls[end].shape for end in dense.graph().outputs]
    assert [tuple(out.shape[1:]) for out in outs] == ends
