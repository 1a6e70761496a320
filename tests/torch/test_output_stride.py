"""The law of output_stride: the dense map, taken at every s-th position, is the strided map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archgen
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
}


def run(net: Net, weights: dict[str, Tensor] | None, x: Tensor) -> tuple[nn.Module, Tensor]:
    """Run a net in float64 with given weights, or random ones with lively norms."""
    model = archgen.build(net).double().eval()
    if weights is None:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.running_mean, 0, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
    else:
        model.load_state_dict(weights)
    with torch.no_grad():
        return model, model(x)


@pytest.mark.parametrize("limit", [4, 2, 1])
@pytest.mark.parametrize("chain", CHAINS)
def test_the_dense_map_subsampled_is_the_strided_map(net, chain: str, limit: int):
    """Exact everywhere: zero padding stands at the same distance in input pixels."""
    nodes = ("stem: {block: conv, width: 4}", CHAINS[chain])
    x = torch.randn(2, 3, 48, 48, dtype=torch.float64)
    model, strided = run(net(*nodes, image=(3, 48, 48)), None, x)
    dense_net = net(*nodes, image=(3, 48, 48), output_stride=limit)
    dense_model, dense = run(dense_net, model.state_dict(), x)
    step = dense.shape[-1] // strided.shape[-1]
    assert tuple(dense.shape[1:]) == dense_net.graph().calls[-1].shape
    torch.testing.assert_close(dense[:, :, ::step, ::step], strided, rtol=1e-10, atol=1e-10)
    assert dense_model.state_dict().keys() == model.state_dict().keys()


def test_a_max_pool_is_cut_as_well(net):
    nodes = ("stem: {block: conv_pool, width: 4}", CHAINS["3x3"])
    x = torch.randn(2, 3, 48, 48, dtype=torch.float64)
    model, strided = run(net(*nodes, image=(3, 48, 48)), None, x)
    _, dense = run(net(*nodes, image=(3, 48, 48), output_stride=2), model.state_dict(), x)
    assert dense.shape[-1] == 24
    torch.testing.assert_close(dense[:, :, ::16, ::16], strided, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["resnet50", "dpn92"])
def test_shipped_networks_at_output_stride_8(name: str):
    net = archgen.load(name)
    dense = net.set({"output_stride": 8})
    assert archgen.cost(dense).params == archgen.cost(net).params
    last = dense.graph().calls[-4].shape
    assert last[1:] == (28, 28)
    with torch.device("meta"):
        model = archgen.build(dense, init=False).eval()
    seen: list[tuple[int, ...]] = []
    model.stages.register_forward_hook(lambda m, i, o: seen.append(tuple(o.shape)))
    assert model(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 1000)
    assert seen == [(1, 2048 if name == "resnet50" else 2688, 28, 28)]
    with torch.device("meta"):
        plain = archgen.build(net, init=False)
    shapes = {key: t.shape for key, t in plain.state_dict().items()}
    assert {key: t.shape for key, t in model.state_dict().items()} == shapes


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 16])
def test_what_lowers_also_runs(families: dict[str, Net], limit: int):
    """Every family, at every limit: a refusal that names its place, or a module that runs."""
    ran, refused = [], []
    for name, net in families.items():
        try:
            dense = net.set({"output_stride": limit, "input": [3, 32, 32]})
            graph = dense.graph()
        except archgen.ArchError as error:
            refused.append(error.path)
            continue
        outs = archgen.build(dense).eval()(torch.zeros(1, 3, 32, 32))
        outs = outs if isinstance(outs, tuple) else (outs,)
        assert [tuple(out.shape[1:]) for out in outs] == [
            graph.calls[i].shape for i in graph.outputs
        ]
        ran.append(name)
    assert len(ran) >= 8
    assert all("pool" in path for path in refused)
