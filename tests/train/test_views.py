"""Larger images by crops and by pooling, against the way that the papers write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.nn import build  # noqa: E402
from archgen.nn.weights import Weights  # noqa: E402
from archgen.spec import Net, load  # noqa: E402
from archgen.train.splits import TensorSplit  # noqa: E402
from archgen.train.views import MeanMax, TenCrop, View  # noqa: E402

pytestmark = pytest.mark.torch
Make = Callable[..., Net]


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


@pytest.fixture(params=HEADS)
def trained(request: pytest.FixtureRequest, net: Make) -> tuple[Net, nn.Module, Weights]:
    """A small network with a head on 7x7 maps, and norms with statistics of their own."""
    spec = net("stem: {block: conv_norm, width: 6, stride: 4}", request.param, image=(3, 28, 28))
    torch.manual_seed(1)
    model = build(spec)
    model(torch.randn(8, 3, 28, 28))
    return spec, model.eval(), Weights(Path("w.pt"), model.state_dict(), {})


def test_mean_max_is_the_normal_head_where_one_window_fits(
    trained: tuple[Net, nn.Module, Weights],
) -> None:
    spec, plain, weights = trained
    model = View.of(spec, resolution=32, mean_max=True).model(weights).eval()
    assert isinstance(model.top, MeanMax)
    images = torch.randn(4, 3, 28, 28)
    assert torch.allclose(model(images), plain(images), atol=1e-6)


def test_mean_max_is_what_the_paper_computes(trained: tuple[Net, nn.Module, Weights]) -> None:
    spec, plain, weights = trained
    images = torch.randn(4, 3, 40, 36)
    x = plain.stem(images)
    if hasattr(plain.top, "norm"):
        x = functional.silu(plain.top.norm(x))
    pooled = functional.avg_pool2d(x, 7, stride=1)
    kernel = plain.top.linear.weight[:, :, None, None]
    maps = functional.conv2d(pooled, kernel, plain.top.linear.bias)
    assert maps.shape[2:] == (4, 3)
    expected = (maps.mean((2, 3)) + maps.amax((2, 3))) / 2
    model = View.of(spec, resolution=40, mean_max=True).model(weights).eval()
    assert torch.allclose(model(images), expected, atol=1e-5)


def test_a_view_without_options_is_the_network(trained: tuple[Net, nn.Module, Weights]) -> None:
    spec, plain, weights = trained
    view = View.of(spec)
    images = torch.randn(4, 3, 28, 28)
    assert torch.equal(view.model(weights).eval()(images), plain(images))
    split = TensorSplit(images, torch.zeros(4))
    assert view.images(split) is split


def test_images_come_in_the_views_size(net: Make) -> None:
    wide = net(*HEADS[:1], image=(1, 14, 28))
    split = TensorSplit(torch.zeros(3, 1, 14, 28), torch.zeros(3))
    for view, size in (
        (View.of(wide, resolution=21), (21, 42)),
        (View.of(wide, ten_crop=True), (16, 32)),
    ):
        ((images, _),) = view.images(split).ordered(5)
        assert images.shape[2:] == view.size == size


def test_mean_max_refuses_what_is_no_classifier(net: Make) -> None:
    spec = net("stem: {block: conv_norm, width: 6}")
    weights = Weights(Path("w.pt"), build(spec).state_dict(), {})
    with pytest.raises(ArchError, match="has no classes"):
        View.of(spec, resolution=64, mean_max=True).model(weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean_max": True}, "mean-max: a resolution above 224 is needed"),
        ({"ten_crop": True, "resolution": 224}, "ten-crop: a resolution above 224 is needed"),
        ({"ten_crop": True, "mean_max": True}, "choose this or mean-max"),
        ({"resolution": 120}, "parnet_s cannot look at 120x120"),
    ],
)
def test_views_that_are_none_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ArchError, match=message):
        View.of(load("parnet_s"), **options)
    assert View.of(load("parnet_s"), resolution=256, mean_max=True).size == (256, 256)
