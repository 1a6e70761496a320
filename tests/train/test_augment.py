"""Batched changes of images, each compared with the plain way to write it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from archgen.train.augment import Scale, mirrored, resized, shifted  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
@pytest.mark.parametrize("size", [(1, 8, 8), (3, 5, 7)])
def test_shifted_cuts_each_image_at_its_own_place(
    kind: torch.dtype, size: tuple[int, int, int]
) -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(1, 255, (40, *size), generator=draw).to(kind)
    moves = torch.randint(5, (2, 40), generator=draw)
    result = shifted(images, moves, 2)
    assert (result.shape, result.dtype) == (images.shape, kind)
    assert result.is_contiguous()
    _, height, width = size
    for image, cut, row, column in zip(images, result, *moves.tolist(), strict=True):
        padded = functional.pad(image, [2] * 4)
        assert torch.equal(cut, padded[:, row : row + height, column : column + width])


def test_a_move_by_the_shift_itself_changes_nothing() -> None:
    images = torch.rand(3, 1, 4, 4)
    assert torch.equal(shifted(images, torch.full((2, 3), 2), 2), images)


def test_mirrored_turns_those_that_are_named() -> None:
    images = torch.rand(3, 2, 4, 5)
    result = mirrored(images, torch.tensor([True, False, True]))
    assert torch.equal(result[0], images[0].flip(2))
    assert torch.equal(result[1], images[1])
    assert torch.equal(result[2, :, :, 0], images[2, :, :, 4])


def test_resized_keeps_what_fits_and_scales_the_rest() -> None:
    images = torch.rand(2, 3, 8, 8)
    assert resized(images, (8, 8)) is images
    half = resized(images, (4, 4))
    assert half.shape == (2, 3, 4, 4)
    assert torch.allclose(half.mean(), images.mean(), atol=0.02)


def test_scale_normalises_by_channel() -> None:
    scale = Scale.of((0.5, 0.2), (0.25, 0.1), torch.device("cpu"))
    images = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 2, 1, 1)
    assert torch.allclose(scale(images).flatten(), torch.tensor([-2.0, 8.0]))
    assert images.flatten().tolist() == [0, 255]
