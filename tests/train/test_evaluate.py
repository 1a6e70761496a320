"""Figures against the plain way to compute them; views of larger images against the papers'."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.nn import build  # noqa: E402
from archgen.spec import Net, load  # noqa: E402
from archgen.train.data import digits  # noqa: E402
from archgen.train.evaluate import (  # noqa: E402
    MeanMax,
    TenCrop,
    at_resolution,
    evaluate,
    use_mean_max,
)
from archgen.train.splits import TensorSplit  # noqa: E402

pytestmark = pytest.mark.torch
Make = Callable[..., Net]


def split(count: int = 60, classes: int = 7) -> TensorSplit:
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(count, 1, 4, 4, generator=draw)
    return TensorSplit(images, torch.arange(count) % (classes - 1))


def model(classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, classes))


def test_figures_are_means_over_all_images() -> None:
    data, net = split(), model()
    beats: list[int] = []
    scores = evaluate(net, data, batch=25, beat=lambda: beats.append(1))
    given = net(data.images).detach()
    ranks = (given > given.gather(1, data.labels[:, None])).sum(1)
    assert scores.loss == pytest.approx(functional.cross_entropy(given, data.labels).item())
    assert scores.top1 == pytest.approx(100 * (ranks == 0).double().mean().item())
    assert scores.top5 == pytest.approx(100 * (ranks < 5).double().mean().item())
    for label, share in enumerate(scores.per_class[:-1]):
        mine = ranks[data.labels == label] == 0
        assert share == pytest.approx(100 * mine.double().mean().item())
    assert math.isnan(scores.per_class[-1])  # no image is of the last class
    assert scores.images_per_second > 0
    assert len(beats) == 3


def test_batches_make_no_difference() -> None:
    whole, parts = (evaluate(model(), split(), batch=batch) for batch in (60, 7))
    assert (whole.top1, whole.top5, whole.per_class[0]) == (
        parts.top1,
        parts.top5,
        parts.per_class[0],
    )
    assert whole.loss == pytest.approx(parts.loss)


def test_few_classes_are_all_among_five() -> None:
    assert evaluate(model(3), split(classes=3)).top5 == 100


def test_a_network_that_says_the_same_of_all_gains_nothing() -> None:
    class Same(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(x), 10)

    assert evaluate(Same(), digits(torch.device("cpu")).test).top1 < 15


def test_the_callers_precision_is_used() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        rough = evaluate(model(), split())
    exact = evaluate(model(), split())
    assert rough.loss != exact.loss
    assert rough.loss == pytest.approx(exact.loss, rel=0.02)


def test_ten_crop_is_the_mean_of_ten_probabilities() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(2 * 3 * 5, 4))
    images = torch.randn(2, 2, 6, 8)
    views = [
        (images.flip(3) if mirrored else images)[..., row : row + 3, column : column + 5]
        for mirrored in (False, True)
        for row, column in ((0, 0), (0, 3), (3, 0), (3, 3), (1, 1 + mirrored))
    ]
    expected = torch.stack([net(view).softmax(1) for view in views]).mean(0)
    given = TenCrop(net, (3, 5))(images)
    assert torch.allclose(given.exp(), expected, atol=1e-6)
    assert torch.allclose(given.exp().sum(1), torch.ones(2))


HEADS = [
    "top: {block: pool_linear, classes: 5}",
    "top: {block: norm_pool_linear, classes: 5, act: silu}",
]


@pytest.mark.parametrize("head", HEADS)
class TestMeanMax:
    def trained(self, net: Make, head: str) -> tuple[nn.Module, Net]:
        spec = net("stem: {block: conv_norm, width: 6, stride: 4}", head, image=(3, 28, 28))
        torch.manual_seed(1)
        module = build(spec)
        module(torch.randn(8, 3, 28, 28))  # so that norms have statistics of their own
        return module.eval(), spec

    def test_is_the_normal_head_where_one_window_fits(self, net: Make, head: str) -> None:
        module, spec = self.trained(net, head)
        images = torch.randn(4, 3, 28, 28)
        before = module(images)
        use_mean_max(module, spec)
        assert isinstance(module.top, MeanMax)
        assert torch.allclose(module(images), before, atol=1e-6)

    def test_is_what_the_paper_computes(self, net: Make, head: str) -> None:
        module, spec = self.trained(net, head)
        images = torch.randn(4, 3, 40, 36)
        plain = module.top
        x = module.stem(images)
        if "norm" in head:
            x = functional.silu(plain.norm(x))
        pooled = functional.avg_pool2d(x, 7, stride=1)
        weight = plain.linear.weight[:, :, None, None]
        maps = functional.conv2d(pooled, weight, plain.linear.bias)
        assert maps.shape[2:] == (4, 3)
        use_mean_max(module, spec)
        expected = (maps.mean((2, 3)) + maps.amax((2, 3))) / 2
        assert torch.allclose(module(images), expected, atol=1e-5)


def test_mean_max_refuses_what_reads_no_map(net: Make) -> None:
    no_head = net("stem: {block: conv_norm, width: 6}")
    with pytest.raises(ArchError, match="has no classes"):
        use_mean_max(nn.Module(), no_head)


def test_another_resolution_is_checked_by_law() -> None:
    assert at_resolution(load("parnet_s"), (256, 256)).input == (3, 256, 256)
    with pytest.raises(ArchError, match="parnet_s cannot look at 120x120"):
        at_resolution(load("parnet_s"), (120, 120))
