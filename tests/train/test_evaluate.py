"""Figures against the plain way to compute them."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from archgen.train.data import digits  # noqa: E402
from archgen.train.evaluate import evaluate  # noqa: E402
from archgen.train.splits import TensorSplit  # noqa: E402

pytestmark = pytest.mark.torch


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
