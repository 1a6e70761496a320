"""A folder of images as splits: read and cut by workers with torchvision's transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import torch
from torch.utils.data import DataLoader, Dataset

from archgen.errors import ArchError
from archgen.train.augment import Scale
from archgen.train.datasets import ImageFolder, Size
from archgen.train.splits import Batches, stratified

MARGIN = 0.875
"""The middle part of an image that is looked at in evaluation: 224 pixels of 256."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, in red, green and blue."""
GREY_MEAN, GREY_DEVIATION = (0.449,), (0.226,)
WORKERS = 8
"""The most processes that read images; there are as many as threads that compute."""

Batch: TypeAlias = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class FolderSplit:
    """Images as files; see `archgen.train.splits.Split`.

    Args:
        files: Paths of the images.
        labels: (count; int64), on the CPU.
        size: Channels (1 or 3), height and width of what is cut out of them.
        device: Where batches go.
        scale: Normalises bytes, on that device.
        whole: Whether evaluation looks at all of an image, as far as it is square.
    """

    files: tuple[str, ...]
    labels: torch.Tensor
    size: Size
    device: torch.device
    scale: Scale
    whole: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def shuffled(self, batch: int, draw: torch.Generator, *, augment: bool) -> Batches:
        """Yield whole batches in a new order, each image as its own seed cuts and flips it."""
        count = len(self) // batch
        order = torch.randperm(len(self), generator=draw)[: count * batch].view(count, batch)
        seeds = torch.randint(2**62, (count, batch), generator=draw) if augment else None
        return self._batches(list(order), seeds)

    def ordered(self, batch: int) -> Batches:
        """Yield all images in order, the middle of each."""
        return self._batches(list(torch.split(torch.arange(len(self)), batch)), None)

    def sized(self, size: tuple[int, int], *, whole: bool = False) -> FolderSplit:
        """Give the same images in another height and width."""
        return replace(self, size=(self.size[0], *size), whole=whole)

    def to(self, device: torch.device) -> FolderSplit:
        """Give the same images, read for another device."""
        return replace(self, device=device, scale=self.scale.to(device))

    def _batches(self, order: list[torch.Tensor], seeds: torch.Tensor | None) -> Batches:
        loader: DataLoader[Batch | ArchError] = DataLoader(
            _Reader(self, order, seeds),
            batch_size=None,
            num_workers=min(torch.get_num_threads(), WORKERS, len(order)),
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else it draws a number from everyone's
        )
        for one in loader:
            if isinstance(one, ArchError):
                raise one
            images, labels = (part.to(self.device, non_blocking=True) for part in one)
            yield self.scale(images), labels


class _Reader(Dataset["Batch | ArchError"]):
    """Reads whole batches. An error is returned: raised in a worker it would lose its class."""

    def __init__(
        self, split: FolderSplit, order: list[torch.Tensor], seeds: torch.Tensor | None
    ) -> None:
        self.files, self.labels = split.files, split.labels
        self.order, self.seeds = order, seeds
        # Here: the workers of each epoch would import torchvision's transforms anew.
        self.cut = _cutter(split.size, whole=split.whole, augment=seeds is not None)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, step: int) -> Batch | ArchError:
        chosen = self.order[step]
        images = []
        with torch.random.fork_rng(devices=[]):
            for place, index in enumerate(chosen.tolist()):
                if self.seeds is not None:
                    # Of the image, not of the worker: the same for any number of workers.
                    torch.manual_seed(int(self.seeds[step, place]))
                try:
                    images.append(_read(self.files[index], self.cut))
                except ArchError as error:
                    return error
        return torch.stack(images), self.labels[chosen]


Cut: TypeAlias = "Callable[..., torch.Tensor]"


def _cutter(size: Size, *, whole: bool, augment: bool) -> Cut:
    from torchvision.transforms import v2

    channels, height, width = size
    if augment:
        steps = [v2.RandomResizedCrop((height, width)), v2.RandomHorizontalFlip()]
    else:
        side = round(max(height, width) / (1 if whole else MARGIN))
        steps = [v2.Resize(side), v2.CenterCrop((height, width))]
    cut: Cut = v2.Compose([*steps, *[v2.Grayscale()] * (channels == 1), v2.PILToTensor()])
    return cut


def _read(file: str, cut: Cut) -> torch.Tensor:
    from torchvision.datasets.folder import default_loader

    try:
        picture = default_loader(file)
    except Exception as error:  # decoders raise whatever the bytes lead them to
        reason = "is no image" if "cannot identify" in str(error) else str(error)
        raise ArchError("data", f"cannot read this image: {reason}", file=file) from None
    return cut(picture)


def folder_splits(
    data: str, root: Path, size: Size, device: torch.device, seed: int
) -> tuple[tuple[str, ...], FolderSplit, FolderSplit, FolderSplit]:
    """Give class names and the train, validation and test split of ``imagefolder:PATH``.

    Splits are the folders ``train``, ``val`` and ``test`` where there are such; what is
    missing is a tenth of each class, cut from what is trained on.

    Raises:
        ArchError: The folder or a class is not there, or has too few images to be cut.
    """
    folder = ImageFolder.find(data, root)
    all_files, labels = _listed(folder.parts.get("train", folder.path), folder.classes)
    own = {name: _listed(path, folder.classes) for name, path in folder.parts.items()}
    missing = [name for name in ("val", "test") if name not in own]
    least = len(missing) + 1
    for label, count in enumerate(torch.bincount(labels).tolist()):
        if count < least:
            message = f"{count} images of class {folder.classes[label]!r}, at least {least} needed"
            raise ArchError("data", message, file=str(folder.path))
    kept, *cuts = stratified(labels, seed, part=10, cuts=len(missing))
    for name, chosen in zip(["train", *missing], [kept, *cuts], strict=True):
        own[name] = [all_files[index] for index in chosen.tolist()], labels[chosen]
    mean, deviation = (MEAN, DEVIATION) if size[0] == 3 else (GREY_MEAN, GREY_DEVIATION)
    scale = Scale.of(mean, deviation, device)
    train, validation, test = (
        FolderSplit(tuple(files), marks, size, device, scale)
        for files, marks in (own[name] for name in ("train", "val", "test"))
    )
    return folder.classes, train, validation, test


def _listed(path: Path, classes: Sequence[str]) -> tuple[list[str], torch.Tensor]:
    """List the images of a folder with their labels."""
    from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

    try:
        numbers = {name: label for label, name in enumerate(classes)}
        found = make_dataset(path, numbers, IMG_EXTENSIONS)
    except OSError as error:
        raise ArchError("data", str(error).splitlines()[0], file=str(path)) from None
    files, labels = zip(*found, strict=True)
    return list(files), torch.tensor(labels)
