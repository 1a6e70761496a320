"""Receptive fields and coverage against what changes in a module that runs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archgen
from archgen.analysis import Field, coverage, receptive_fields
from archgen.spec import Net

pytestmark = pytest.mark.torch

STEM = "stem: {block: conv_pool, width: 4, kernel: 5}"
BODIES = {
    "dilated": ["s: {block: conv_norm, depth: 3, width: 4, dilation: [1, 2, 3]}"],
    "stride 3": ["s: {block: conv_norm, depth: 3, width: 4, kernel: [5, 1, 3], stride: [3, 2, 2]}"],
    "pooled": [STEM, "s: {block: basic, depth: [1, 1], width: [4, 6], stride: [1, 2],"
               " shortcut: zero_pad}"],
    "squeeze and excitation": ["s: {block: basic, depth: [1, 1], width: 4, stride: 2, se: 2,"
                               " shortcut: projection}"],
}  # fmt: skip


def alike(net: Net) -> nn.Module:
    """Build a net in which all that a pixel sees, and nothing else, makes it positive.

    Kernels are means, norms do nothing, and what is zero stays zero: it is only scaled by gates,
    and group norms, which would shift it by the mean of the map, are left out.
    """
    model = archgen.build(net).double().eval()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.running_var, 1 - module.eps)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            scale = 1 / weight[0].numel() if weight.dim() == 4 else 1
            weight.fill_(0 if name.endswith("bias") else scale)
    return model


def outputs(model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    result = model(x)
    return result if isinstance(result, tuple) else (result,)


def hull(seen: Tensor) -> tuple[int, int]:
    """Give the first and last position of those that are seen."""
    positions = seen.nonzero().flatten().tolist()
    return positions[0], positions[-1]


@torch.no_grad()
def must_be_seen(body: Net) -> None:
    """See which white columns change a pixel, in images of one white column each."""

    def fields(net: Net) -> list[Field]:
        graph = net.graph()
        found = receptive_fields(graph)
        return [field for end in graph.outputs if (field := found[end])]

    expected = fields(body)
    wide = max(24 * ((field.size - field.start) // 24 + 2) for field in expected)
    net = body.set({"input": [3, 24, wide]})
    assert fields(net) == expected
    model = alike(net)
    images = torch.eye(wide, dtype=torch.float64)[:, None, None].expand(-1, 3, 24, -1)
    for field, result in zip(expected, outputs(model, images), strict=True):
        pixel = -(field.start // field.stride)  # the first that sees no edge on its left
        first = pixel * field.stride + field.start
        middle = result[:, :, result.shape[2] // 2, pixel].sum(1)
        assert hull(middle > 0) == (first, first + field.size - 1)


def without_head(net: Net, **changes: object) -> Net:
    data = net.data() | changes
    del data["nodes"]["head"]
    if net.outputs:
        data["outputs"] = [name for name in net.outputs if name != "head"]
    return Net.of(data)


@pytest.mark.parametrize("limit", [None, 1])
def test_families(family: Net, limit: int | None):
    """At output stride 1 they have dilated pools and frames."""
    more = {"output_stride": limit} if limit else {}
    must_be_seen(without_head(family, input=[3, 24, 24], **more))


@pytest.mark.parametrize("limit", [None, 2])
@pytest.mark.parametrize("body", BODIES)
def test_other_windows(net, body: str, limit: int | None):
    more = {"output_stride": limit} if limit else {}
    must_be_seen(net(*BODIES[body], image=(3, 24, 24), **more))


@torch.no_grad()
@pytest.mark.parametrize("limit", [None, 2])
def test_coverage_is_what_reaches_a_pixel(family: Net, limit: int | None):
    """An image of one white pixel for each pixel: which of them change the middle of each map?"""
    more = {"output_stride": limit} if limit else {}
    net = without_head(family, input=[3, 16, 16], **more)
    graph = net.graph()
    images = torch.eye(256, dtype=torch.float64).view(256, 1, 16, 16).expand(-1, 3, -1, -1)
    for end, result in zip(graph.outputs, outputs(alike(net), images), strict=True):
        seen = coverage(graph, graph.calls[end].name).shares > 0
        side = result.shape[-1] // 2
        assert torch.equal(torch.from_numpy(seen).flatten(), result[:, :, side, side].sum(1) > 0)


LINEAR = ["resnet_option_a", "preresnet", "pyramidnet", "drn", "dsnet", "ds2net", "densenet",
          "repvgg", "pyramid_of_features"]  # fmt: skip
"""Linear where all is positive, and without a map of which only some channels go on."""


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("limit", [None, 1])
def test_shares_are_the_gradient_where_all_weights_are_alike(
    families, name: str, limit: int | None
):
    more = {"output_stride": limit} if limit else {}
    net = without_head(families[name], **more)
    graph = net.graph()
    x = torch.ones(1, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    for end, result in zip(graph.outputs, outputs(alike(net), x), strict=True):
        (gradient,) = torch.autograd.grad(result[0, :, 1, 2].sum(), x, retain_graph=True)
        wanted = gradient.sum((0, 1)) / gradient.sum()
        found = coverage(graph, graph.calls[end].name, pixel=(1, 2))
        assert torch.allclose(torch.from_numpy(found.shares), wanted, rtol=1e-9, atol=0)
