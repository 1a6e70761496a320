"""The digits: their size, their splits, their scale."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from archgen.errors import ArchError  # noqa: E402
from archgen.train.data import Data, digits, load_data  # noqa: E402
from archgen.train.recipe import DATA_SETS  # noqa: E402

pytestmark = pytest.mark.torch


def rows(data: Data) -> dict[str, set[bytes]]:
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    return {
        name: {image.numpy().tobytes() for image in split.images} for name, split in splits.items()
    }


def test_digits_are_all_there_once() -> None:
    data = digits()
    sizes = [len(split) for split in (data.train, data.validation, data.test)]
    assert sum(sizes) == 1797
    assert sizes[1] == sizes[2] == 355
    images = rows(data)
    assert sum(map(len, images.values())) == len(set.union(*images.values())) == 1797


def test_splits_are_stratified() -> None:
    data = digits()
    whole = torch.bincount(torch.cat([data.train.labels, data.validation.labels, data.test.labels]))
    for split in (data.validation, data.test):
        assert torch.equal(torch.bincount(split.labels), whole // 5)


def test_a_seed_fixes_the_splits() -> None:
    assert rows(digits(3)) == rows(digits(3))
    assert rows(digits(3)) != rows(digits(4))


def test_training_images_are_normalised() -> None:
    images = digits().train.images
    assert images.dtype == torch.float32
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-5)


def test_the_sets_are_the_ones_a_recipe_may_name() -> None:
    for name, asked in DATA_SETS.items():
        data = load_data(name, torch.device("cpu"))
        assert (data.name, data.input, data.classes) == (name, asked.input, asked.classes)
        assert data.train.images.shape[1:] == asked.input
        assert int(data.train.labels.max()) == asked.classes - 1


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ArchError, match="no data set 'mnist'"):
        load_data("mnist", torch.device("cpu"))
