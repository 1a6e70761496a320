"""Data sets: their splits, what they refuse, and the files that they are read from."""

from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from archgen.errors import ArchError  # noqa: E402
from archgen.train.data import Data, digits, load_data  # noqa: E402
from archgen.train.datasets import DATA_SETS, needs  # noqa: E402
from archgen.train.sources import DEBIAN  # noqa: E402
from archgen.train.splits import Split, TensorSplit, stratified  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")


def images_of(split: Split) -> torch.Tensor:
    return torch.cat([images for images, _ in split.ordered(1000)])


def labels_of(split: Split) -> torch.Tensor:
    return torch.cat([labels for _, labels in split.ordered(1000)])


def splits_of(data: Data) -> list[Split]:
    return [data.train, data.validation, data.test]


def rows(data: Data) -> list[set[bytes]]:
    return [{image.numpy().tobytes() for image in images_of(split)} for split in splits_of(data)]


class TestDigits:
    def test_they_are_all_there_once(self) -> None:
        images = rows(digits(CPU))
        assert [len(split) for split in splits_of(digits(CPU))] == [1087, 355, 355]
        assert sum(map(len, images)) == len(set.union(*images)) == 1797

    def test_splits_are_stratified(self) -> None:
        data = digits(CPU)
        whole = torch.bincount(torch.cat([labels_of(split) for split in splits_of(data)]))
        for split in (data.validation, data.test):
            assert torch.equal(torch.bincount(labels_of(split)), whole // 5)

    def test_a_seed_fixes_the_splits(self) -> None:
        assert rows(digits(CPU, 3)) == rows(digits(CPU, 3))
        assert rows(digits(CPU, 3)) != rows(digits(CPU, 4))

    def test_training_images_are_normalised(self) -> None:
        images = images_of(digits(CPU).train)
        assert images.dtype == torch.float32
        assert images.mean().item() == pytest.approx(0, abs=1e-5)
        assert images.std().item() == pytest.approx(1, abs=1e-5)

    def test_are_the_ones_a_recipe_may_name(self) -> None:
        data = load_data("digits", CPU)
        asked = DATA_SETS["digits"]
        assert (data.name, data.input, data.classes) == ("digits", asked.input, asked.classes)
        assert data.class_names == tuple("0123456789")


def test_stratified_takes_at_least_one_image_a_class() -> None:
    labels = torch.tensor([0] * 3 + [1] * 40)
    kept, validation, test = stratified(labels, 0, part=10, cuts=2)
    assert torch.bincount(labels[validation]).tolist() == [1, 4]
    assert torch.bincount(labels[test]).tolist() == [1, 4]
    assert sorted(torch.cat([kept, validation, test]).tolist()) == list(range(43))


class TestBatches:
    """What a split on the device yields."""

    def split(self, count: int = 10) -> TensorSplit:
        images = torch.arange(1.0, count + 1).reshape(count, 1, 1, 1).expand(-1, 1, 4, 4).clone()
        return TensorSplit(images, torch.arange(count), shift=1)

    def test_shuffled_takes_each_image_once_in_whole_batches(self) -> None:
        draw = torch.Generator().manual_seed(0)
        orders = []
        for _ in range(2):
            batches = list(self.split().shuffled(3, draw, augment=False))
            assert [len(labels) for _, labels in batches] == [3, 3, 3]
            for images, labels in batches:
                assert torch.equal(images[:, 0, 0, 0], labels + 1.0)
            orders.append(torch.cat([labels for _, labels in batches]).tolist())
        assert all(len(set(order)) == 9 for order in orders)
        assert orders[0] != orders[1]

    def test_a_generator_fixes_order_and_shifts(self) -> None:
        one, two = (
            list(self.split().shuffled(5, torch.Generator().manual_seed(1), augment=True))
            for _ in range(2)
        )
        for (images, labels), (same, marks) in zip(one, two, strict=True):
            assert torch.equal(images, same)
            assert torch.equal(labels, marks)

    def test_augmented_images_are_shifted(self) -> None:
        draw = torch.Generator().manual_seed(0)
        (images, _), *_ = self.split().shuffled(10, draw, augment=True)
        assert images.is_contiguous()
        margins = {tuple((image[0] == 0).all(1).tolist()) for image in images}
        assert len(margins) == 3  # a row of padding above, below, or none

    def test_mirrors_about_half(self) -> None:
        images = torch.zeros(200, 1, 2, 2)
        images[..., 0] = 1
        split = TensorSplit(images, torch.zeros(200, dtype=torch.int64), flip=True)
        ((shown, _),) = split.shuffled(200, torch.Generator().manual_seed(0), augment=True)
        assert 60 < int(shown[:, 0, 0, 0].sum()) < 140
        ((shown, _),) = split.shuffled(200, torch.Generator().manual_seed(0), augment=False)
        assert torch.equal(shown, images)

    def test_ordered_keeps_all_images(self) -> None:
        batches = list(self.split().ordered(4))
        assert [len(labels) for _, labels in batches] == [4, 4, 2]
        assert torch.cat([labels for _, labels in batches]).tolist() == list(range(10))

    def test_sized_scales(self) -> None:
        split = self.split().sized((6, 8))
        images, _ = next(iter(split.ordered(10)))
        assert images.shape == (10, 1, 6, 8)
        assert torch.allclose(images[3], torch.tensor(4.0))


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ArchError, match=r"no data set 'mnist' \(there are: cifar10"):
        load_data("mnist", CPU)
    with pytest.raises(ArchError, match="no data set 'imagefolder:'"):
        needs("imagefolder:")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
class TestFashion:
    def test_all_70000_images(self, tmp_path: Path) -> None:
        data = load_data("fashion-mnist", CPU, root=tmp_path)
        assert [len(split) for split in splits_of(data)] == [54_000, 6_000, 10_000]
        assert data.input == (1, 28, 28)
        assert data.class_names[9] == "Ankle boot"
        labels = [labels_of(split) for split in splits_of(data)]
        assert [torch.bincount(one).tolist() for one in labels] == [
            [count] * 10 for count in (5400, 600, 1000)
        ]
        # The first test image is an ankle boot, as the paper's files have it.
        assert int(labels[2][0]) == 9
        images = images_of(data.train)
        assert images.dtype == torch.float32
        assert images.mean().item() == pytest.approx(0, abs=0.01)
        assert images.std().item() == pytest.approx(1, abs=0.01)


def write_idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    content = head + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def fashion(tmp_path: Path) -> Path:
    """Forty images in torchvision's layout: half unpacked, half not."""
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, ending, count in (("train", "", 30), ("t10k", ".gz", 10)):
        images = draw.integers(256, size=(count, 28, 28))
        write_idx(folder / f"{part}-images-idx3-ubyte{ending}", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte{ending}", np.arange(count) % 10)
    return folder


class TestIdxFiles:
    def test_torchvisions_layout(self, fashion: Path, tmp_path: Path) -> None:
        data = load_data("fashion-mnist", CPU, root=tmp_path)
        assert [len(split) for split in splits_of(data)] == [20, 10, 10]

    def test_torchvision_reads_the_same(self, fashion: Path, tmp_path: Path) -> None:
        from torchvision.datasets import FashionMNIST

        for path in fashion.glob("t10k-*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        theirs = FashionMNIST(tmp_path, train=False)
        ours = load_data("fashion-mnist", CPU, root=tmp_path).test
        assert isinstance(ours, TensorSplit)
        assert torch.equal(ours.images[:, 0], theirs.data)
        assert torch.equal(ours.labels, theirs.targets)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("train-images-idx3-ubyte", b"", "begins with nothing"),
            ("train-images-idx3-ubyte", b"PK\3\4" + bytes(40), "begins with 504b0304"),
            ("train-labels-idx1-ubyte", bytes([0, 0, 8, 3, 0, 0]), "begins with 00000803"),
            (
                "train-images-idx3-ubyte",
                bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28, 5]),
                "has 1 bytes of 1,568: cut short?",
            ),
            ("t10k-images-idx3-ubyte.gz", b"no archive", "not a gzipped file"),
            (
                "t10k-images-idx3-ubyte.gz",
                gzip.compress(bytes(5000), mtime=0)[:-9],
                "end-of-stream",
            ),
            ("train-labels-idx1-ubyte", bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]), "30 for 1 labels"),
            (
                "train-labels-idx1-ubyte",
                bytes([0, 0, 8, 1, 0, 0, 0, 30, *([10] * 30)]),
                "not all of the 10 classes",
            ),
        ],
    )
    def test_a_damaged_file_is_named(
        self, fashion: Path, tmp_path: Path, name: str, content: bytes, message: str
    ) -> None:
        (fashion / name).write_bytes(content)
        with pytest.raises(ArchError, match=message) as caught:
            load_data("fashion-mnist", CPU, root=tmp_path)
        assert caught.value.file is not None
        assert Path(caught.value.file).parent == fashion


class Python2(pickle._Pickler):
    """Pickles as Python 2 and its NumPy did, which is what CIFAR's files are."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value: str | bytes) -> None:
        data = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)

    def save_flag(self, value: bool) -> None:
        self.write(pickle.BININT1 + bytes([value]))

    dispatch[str] = dispatch[bytes] = save_string
    dispatch[bool] = save_flag


def write_batch(path: Path, content: dict[str, object]) -> None:
    stream = io.BytesIO()
    Python2(stream, protocol=2).dump(content)
    path.write_bytes(stream.getvalue().replace(b"numpy._core.multi", b"numpy.core.multi"))


def write_cifar(root: Path, name: str) -> Path:
    fine = name == "cifar100"
    folder = root / ("cifar-100-python" if fine else "cifar-10-batches-py")
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    classes, each = (100, 300) if fine else (10, 40)
    key = "fine_label" if fine else "label"
    files = ["train"] if fine else [f"data_batch_{index}" for index in range(1, 6)]
    for file in [*files, "test" if fine else "test_batch"]:
        pixels = draw.integers(256, size=(each, 3072), dtype=np.uint8)
        labels = [index % classes for index in range(each)]
        write_batch(folder / file, {"batch_label": file, "data": pixels, f"{key}s": labels})
    names = {f"{key}_names": [f"class {index}" for index in range(classes)]}
    write_batch(folder / ("meta" if fine else "batches.meta"), names)
    return folder


class TestCifar:
    @pytest.mark.parametrize(
        ("name", "sizes"), [("cifar10", [180, 20, 40]), ("cifar100", [200, 100, 300])]
    )
    def test_torchvisions_layout(self, tmp_path: Path, name: str, sizes: list[int]) -> None:
        folder = write_cifar(tmp_path, name)
        data = load_data(name, CPU, root=tmp_path)
        assert [len(split) for split in splits_of(data)] == sizes
        assert (data.input, data.classes) == ((3, 32, 32), DATA_SETS[name].classes)
        assert data.class_names[3] == "class 3"
        with (folder / ("test" if name == "cifar100" else "test_batch")).open("rb") as stream:
            content = pickle.load(stream, encoding="latin1")
        assert isinstance(data.test, TensorSplit)
        assert np.array_equal(data.test.images.flatten(1).numpy(), content["data"])
        assert int(images_of(data.test).shape[0]) == sizes[2]

    def test_images_are_normalised_by_channel(self, tmp_path: Path) -> None:
        write_cifar(tmp_path, "cifar10")
        split = load_data("cifar10", CPU, root=tmp_path).test
        assert isinstance(split, TensorSplit)
        asked = DATA_SETS["cifar10"]
        expected = split.images[0] / 255
        for channel in range(3):
            expected[channel] -= asked.mean[channel]
            expected[channel] /= asked.deviation[channel]
        assert torch.allclose(images_of(split)[0], expected, atol=1e-5)

    def test_nothing_but_arrays_is_unpickled(self, tmp_path: Path) -> None:
        folder = write_cifar(tmp_path, "cifar10")
        marker = tmp_path / "ran"
        (folder / "test_batch").write_bytes(f"cpathlib\nPath\n(S'{marker}'\ntR.".encode())
        with pytest.raises(ArchError, match=r"test_batch.*asks for pathlib\.Path"):
            load_data("cifar10", CPU, root=tmp_path)

    @pytest.mark.parametrize(
        ("file", "content", "message"),
        [
            ("data_batch_2", b"", "ran out of input"),
            ("data_batch_2", b"\x80\x02}q", "truncated|ran out"),
            ("data_batch_2", pickle.dumps([1], 2), "holds a list"),
            ("data_batch_2", pickle.dumps({"labels": []}, 2), "has no images as 'data'"),
            ("batches.meta", pickle.dumps({"label_names": ["cat"]}, 2), "does not name the cl"),
        ],
    )
    def test_a_damaged_file_is_named(
        self, tmp_path: Path, file: str, content: bytes, message: str
    ) -> None:
        folder = write_cifar(tmp_path, "cifar10")
        (folder / file).write_bytes(content)
        with pytest.raises(ArchError, match=f"(?i){message}") as caught:
            load_data("cifar10", CPU, root=tmp_path)
        assert caught.value.file == str(folder / file)

    @pytest.mark.parametrize(
        ("shape", "labels", "message"),
        [
            ((2, 3071), [0, 1], r"images of uint8 \[2, 3071\], not of 3,072 bytes"),
            ((3, 3072), [0, 1], "3 for 2 labels"),
            ((2, 3072), [0, 10], "not all of the 10 classes"),
            ((2, 3072), [0, "cat"], "not all of the 10 classes"),
            ((2, 3072), "cat", "no 'labels'"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, tmp_path: Path, shape: tuple[int, int], labels: object, message: str
    ) -> None:
        folder = write_cifar(tmp_path, "cifar10")
        write_batch(folder / "test_batch", {"data": np.zeros(shape, np.uint8), "labels": labels})
        with pytest.raises(ArchError, match=message):
            load_data("cifar10", CPU, root=tmp_path)

    @pytest.mark.parametrize("name", ["cifar10", "cifar100"])
    def test_what_is_missing_says_where_and_how(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ArchError) as caught:
            load_data(name, CPU, root=tmp_path)
        text = str(caught.value)
        assert f"{name.upper()} is not here; looked in {tmp_path}" in text
        assert "--data-root" in text
        assert "--download" in text
        assert "\n" not in text


def test_a_failed_download_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import CIFAR10

    monkeypatch.setattr(CIFAR10, "url", (tmp_path / "nowhere.tar.gz").as_uri())
    with pytest.raises(ArchError, match="cannot download CIFAR10 to") as caught:
        load_data("cifar10", CPU, root=tmp_path, download=True)
    assert "\n" not in str(caught.value)


def test_download_leaves_what_is_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torchvision's own code takes an archive apart, here one that was fetched before."""
    import tarfile

    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import calculate_md5

    source, root = tmp_path / "source", tmp_path / "root"
    folder = write_cifar(source, "cifar10")
    root.mkdir()
    archive = root / CIFAR10.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    files = {path.name: calculate_md5(path) for path in folder.iterdir()}
    meta = files.pop("batches.meta")
    monkeypatch.setattr(CIFAR10, "tgz_md5", calculate_md5(archive))
    monkeypatch.setattr(CIFAR10, "train_list", list(files.items()))
    monkeypatch.setattr(CIFAR10, "test_list", [])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": meta})
    data = load_data("cifar10", CPU, root=root, download=True)
    assert len(data.test) == 40
