"""Folders of images: found, cut, read by workers; damaged ones are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.train.data import Data, load_data  # noqa: E402
from archgen.train.folder import FolderSplit  # noqa: E402
from archgen.train.splits import Split  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
SHADES = {"dark": 40, "light": 200}


def draw(folder: Path, each: int = 6, size: tuple[int, int] = (20, 14)) -> None:
    """Write images of two shades, a sub-folder for each."""
    noise = np.random.default_rng(0)
    for name, shade in SHADES.items():
        (folder / name).mkdir(parents=True)
        for index in range(each):
            pixels = shade + noise.integers(-30, 30, (*size, 3))
            kind = "png" if index % 2 else "jpg"
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index}.{kind}")


def load(folder: Path, size: tuple[int, int, int] = (3, 8, 8), **more: int) -> Data:
    return load_data(f"imagefolder:{folder}", CPU, size=size, **more)


def files(split: Split) -> set[str]:
    assert isinstance(split, FolderSplit)
    return set(split.files)


def test_without_split_folders_each_class_is_cut(tmp_path: Path) -> None:
    draw(tmp_path, each=12)
    data = load(tmp_path)
    assert data.class_names == ("dark", "light")
    assert [len(one) for one in (data.train, data.validation, data.test)] == [20, 2, 2]
    parts = [files(one) for one in (data.train, data.validation, data.test)]
    assert len(set.union(*parts)) == 24
    assert [files(one) for one in (load(tmp_path).train, load(tmp_path).test)] == [
        parts[0],
        parts[2],
    ]
    assert files(load(tmp_path, seed=1).train) != parts[0]


def test_split_folders_are_used_and_the_missing_one_is_cut(tmp_path: Path) -> None:
    draw(tmp_path / "train", each=12)
    draw(tmp_path / "val", each=3)
    data = load(tmp_path)
    assert [len(one) for one in (data.train, data.validation, data.test)] == [22, 6, 2]
    assert all("/val/" in file for file in files(data.validation))
    assert all("/train/" in file for file in files(data.train) | files(data.test))
    draw(tmp_path / "test", each=1)
    data = load(tmp_path)
    assert [len(one) for one in (data.train, data.validation, data.test)] == [24, 6, 2]


def test_images_in_order_are_the_middle_normalised(tmp_path: Path) -> None:
    draw(tmp_path)
    data = load(tmp_path)
    ((images, labels),) = data.validation.ordered(10)
    assert (images.shape, images.dtype) == ((2, 3, 8, 8), torch.float32)
    assert labels.tolist() == [0, 1]
    assert images[0].mean() < -1 < 1 < images[1].mean()


def test_grey_networks_see_grey(tmp_path: Path) -> None:
    draw(tmp_path)
    images, _ = next(iter(load(tmp_path, (1, 8, 6)).train.ordered(4)))
    assert images.shape == (4, 1, 8, 6)


def test_shuffled_repeats_for_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path)
    split = load(tmp_path).train
    before = torch.get_rng_state()
    epochs = []
    for workers in (2, 0):
        monkeypatch.setattr("archgen.train.folder.WORKERS", workers)
        draws = torch.Generator().manual_seed(5)
        epochs.append(list(split.shuffled(3, draws, augment=True)))
    assert [len(labels) for _, labels in epochs[0]] == [3, 3]
    for (images, labels), (same, marks) in zip(*epochs, strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, marks)
    assert torch.equal(before, torch.get_rng_state())
    ((other, _), *_) = split.shuffled(3, draws, augment=True)
    assert not torch.equal(other, epochs[0][0][0])


def test_without_augmentation_images_are_cut_as_in_evaluation(tmp_path: Path) -> None:
    draw(tmp_path)
    split = load(tmp_path).train
    in_order = torch.cat([images for images, _ in split.ordered(100)])
    draws = torch.Generator().manual_seed(0)
    for images, _ in split.shuffled(4, draws, augment=False):
        for image in images:
            assert (in_order == image).flatten(1).all(1).any()


def test_sized_looks_closer_or_at_the_whole(tmp_path: Path) -> None:
    (tmp_path / "ring").mkdir()
    (tmp_path / "none").mkdir()
    ring = np.zeros((64, 64, 3), np.uint8)
    ring[:2] = ring[-2:] = ring[:, :2] = ring[:, -2:] = 255
    for index in range(3):
        Image.fromarray(ring).save(tmp_path / "ring" / f"{index}.png")
        Image.fromarray(ring * 0).save(tmp_path / "none" / f"{index}.png")
    split = load(tmp_path, (3, 32, 32)).test
    for whole in (False, True):
        ((images, labels),) = split.sized((56, 56), whole=whole).ordered(10)
        assert images.shape == (2, 3, 56, 56)
        with_ring = images[labels == 1]
        assert bool((with_ring > 1).any()) == whole


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("content", "said"), [(b"no image", "is no image"), (None, "truncated|damaged|broken")]
)
def test_a_damaged_image_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, content: bytes | None, said: str
) -> None:
    draw(tmp_path, size=(90, 90))
    monkeypatch.setattr("archgen.train.folder.WORKERS", workers)
    split = load(tmp_path).train
    assert isinstance(split, FolderSplit)
    broken = Path(split.files[-1])
    broken.write_bytes(broken.read_bytes()[:700] if content is None else content)
    with pytest.raises(ArchError, match=f"cannot read this image: .*({said})") as caught:
        list(split.ordered(2))
    assert caught.value.file == str(broken)


def test_classes_need_images(tmp_path: Path) -> None:
    draw(tmp_path, each=2)
    with pytest.raises(ArchError, match="2 images of class 'dark', at least 3 needed"):
        load(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchError, match="no valid file for the classes empty"):
        load(tmp_path)


def test_needs_the_networks_input(tmp_path: Path) -> None:
    draw(tmp_path)
    with pytest.raises(ArchError, match="needs the size of the network's input"):
        load_data(f"imagefolder:{tmp_path}", CPU)
