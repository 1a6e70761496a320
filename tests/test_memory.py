"""Saved bytes by hand and as measured on peers; tests/torch/test_saved.py asks autograd itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archgen import ArchError, load
from archgen.analysis import peak_bytes, saved_bytes, training_memory
from archgen.graph import Builder, Graph, Map

MIB = 2**20
SIDE = 4 * 4 * 4
"""Bytes of one channel of a 4x4 map."""


def graph(write: Callable[[Map], Map]) -> Graph:
    builder = Builder((8, 4, 4))
    return builder.graph("g", [write(builder.input)])


@pytest.mark.parametrize(
    ("name", "changes", "one", "two"),
    [
        ("dpn98", {}, 214.01, 427.39),
        ("resnext101_64x4d", {}, 236.02, 471.27),
        ("dpn92", {}, 153.12, 305.77),
        ("resnext101_64x4d", {"stages.groups": 32}, 159.59, 318.66),
        ("dpn131", {}, 290.99, 581.12),
        ("resnet101", {}, 121.38, 242.35),
        ("resnet152", {}, 169.79, 339.00),
        ("resnet152", {"stages.depth": [3, 24, 36, 3]}, 243.38, 486.09),
        ("preresnet152", {"stem.block": "bare_conv_pool"}, 161.72, 322.89),
    ],
)
def test_as_measured_on_timm(name: str, changes: dict[str, Any], one: float, two: float):
    """MiB that ``saved_tensors_hooks`` saw on timm's modules, 224x224, 1 and 2 images."""
    made = load(name).set(changes)
    assert round(saved_bytes(made, 1) / MIB, 2) == one
    assert round(saved_bytes(made, 2) / MIB, 2) == two


def test_a_convolution_keeps_the_images_and_its_own_output_is_not_kept():
    assert saved_bytes(graph(lambda x: x.conv("conv", 16)), batch=3) == 3 * 8 * SIDE


def test_a_norm_keeps_its_operand_and_two_figures_a_channel():
    made = graph(lambda x: x.conv("conv", 16).norm("norm").act())
    assert saved_bytes(made) == (8 + 16 + 16) * SIDE + 2 * 16 * 4
    assert saved_bytes(made, 2) - saved_bytes(made) == (8 + 16 + 16) * SIDE
    grouped = graph(lambda x: x.conv("conv", 16).group_norm("norm", 4))
    assert saved_bytes(grouped, 2) == 2 * ((8 + 16) * SIDE + 2 * 4 * 4)


def test_a_storage_is_kept_once_and_whole():
    def read_twice(x: Map) -> Map:
        y = x.conv("conv", 16)
        return y.conv("a", 4) + y.conv("b", 4)

    def read_a_slice(x: Map) -> Map:
        return x.conv("conv", 16)[0:4].conv("a", 4)

    assert saved_bytes(graph(read_twice)) == saved_bytes(graph(read_a_slice)) == (8 + 16) * SIDE


def test_an_activation_in_place_takes_no_memory_of_its_own():
    inside = graph(lambda x: x.conv("a", 16).act().conv("b", 4))
    assert saved_bytes(inside) == (8 + 16) * SIDE

    def read_before(x: Map) -> Map:
        y = x.conv("a", 16)
        return y.act().conv("b", 4) + y.conv("c", 4)

    assert saved_bytes(graph(read_before)) == (8 + 16 + 16) * SIDE


def test_what_needs_no_gradient_is_not_kept():
    assert saved_bytes(graph(lambda x: x.avg_pool(2, 2).act("silu"))) == 0
    gated = graph(lambda x: x * x.gate("gate"))
    mean_and_gate = 2 * 8 * 4
    assert saved_bytes(gated) == 8 * SIDE + mean_and_gate


def test_a_max_pool_keeps_whole_indices():
    made = graph(lambda x: x.conv("conv", 16).max_pool(2, 2))
    assert saved_bytes(made) == (8 + 16) * SIDE + 16 * 2 * 2 * 8


def test_a_precision_that_is_not_there_is_named():
    with pytest.raises(ArchError, match=r"no precision 'int8'.*bfloat16, float16, float32"):
        saved_bytes(load("resnet18"), 1, "int8")


@pytest.mark.parametrize("count", [saved_bytes, peak_bytes, training_memory])
def test_a_batch_has_an_image(count) -> None:
    with pytest.raises(ArchError, match="batch: at least 1 image, not 0"):
        count(load("resnet20_cifar"), 0)
