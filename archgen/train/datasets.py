"""Which data sets there are, and what each asks of a network. Reads no image, imports no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from archgen.errors import ArchError, unknown
from archgen.files import reason

Size: TypeAlias = tuple[int, int, int]
"""Channels, height and width."""

DEFAULT_ROOT = Path(os.environ.get("ARCHGEN_DATA", "data"))
"""Where data sets lie, unless ``--data-root`` says otherwise."""
FOLDER = "imagefolder:"
"""What a data set's name begins with that is a folder of images, one sub-folder a class."""


@dataclass(frozen=True)
class Needs:
    """What a data set asks of a network and of its training.

    Args:
        input: What its images are; None where they are cut to the network's own input.
        classes: How many classes it has.
        shift: The most pixels that a training image may be shifted by.
        flip: Whether a mirrored image is still one of its class.
        mean: Of each channel, as a part of white; empty where the training split tells.
        deviation: Likewise.
    """

    input: Size | None
    classes: int
    shift: int = 0
    flip: bool = False
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()


DATA_SETS = {
    "digits": Needs(input=(1, 8, 8), classes=10, shift=1),
    "fashion-mnist": Needs(
        input=(1, 28, 28), classes=10, shift=2, flip=True, mean=(0.2860,), deviation=(0.3530,)
    ),
    "cifar10": Needs(
        input=(3, 32, 32),
        classes=10,
        shift=4,
        flip=True,
        mean=(0.4914, 0.4822, 0.4465),
        deviation=(0.2470, 0.2435, 0.2616),
    ),
    "cifar100": Needs(
        input=(3, 32, 32),
        classes=100,
        shift=4,
        flip=True,
        mean=(0.5071, 0.4865, 0.4409),
        deviation=(0.2673, 0.2564, 0.2762),
    ),
}
"""Those with a name of their own; ``imagefolder:PATH`` comes beside them."""


def _known(data: str) -> str:
    if data in DATA_SETS or (data.startswith(FOLDER) and data != FOLDER):
        return data
    raise ValueError(unknown("data set", data, [*DATA_SETS, f"{FOLDER}PATH"]))


DataSet = Annotated[
    str,
    AfterValidator(_known),
    Field(json_schema_extra={"anyOf": [{"enum": [*DATA_SETS]}, {"pattern": f"^{FOLDER}."}]}),
]


def needs(data: str, root: Path | None = None) -> Needs:
    """What the data set called ``data`` asks of a network.

    Args:
        data: A name of `DATA_SETS`, or ``imagefolder:PATH``, whose classes are counted.
        root: Where a relative PATH may start; by default `DEFAULT_ROOT`.

    Raises:
        ArchError: There is no such data set, or no such folder of images.
    """
    try:
        _known(data)
    except ValueError as error:
        raise ArchError("data", str(error)) from None
    if data in DATA_SETS:
        return DATA_SETS[data]
    classes = ImageFolder.find(data, root).classes
    return Needs(input=None, classes=len(classes), flip=True)


TOLD = "ARCHGEN_SERVER_DATA"
"""The environment's variable that tells a server what to load; see `archgen.train.warm`."""


@dataclass(frozen=True)
class Wanted:
    """What is to be loaded.

    Args:
        name: Of the data set.
        size: What the network takes.
        root: Where data sets lie; None for `DEFAULT_ROOT`.
        download: Whether missing data may be fetched.
    """

    name: str
    size: Size
    root: str | None
    download: bool

    def told(self) -> str:
        """The same as the environment carries it."""
        return json.dumps([self.name, self.size, self.root, self.download])

    @classmethod
    def read(cls, told: str) -> Wanted:
        """What `told` wrote."""
        name, (channels, height, width), root, download = json.loads(told)
        return cls(name, (channels, height, width), root, download)


@dataclass(frozen=True)
class ImageFolder:
    """A folder of images: ``PATH/CLASS/...``, or ``PATH/train/CLASS/...`` with val and test.

    Args:
        path: The folder.
        classes: Names of the classes, sorted.
        parts: The folder of each split that has one of its own; empty without ``train``.
    """

    path: Path
    classes: tuple[str, ...]
    parts: dict[str, Path]

    @classmethod
    def find(cls, data: str, root: Path | None = None) -> ImageFolder:
        """Find the folder that ``imagefolder:PATH`` names: as it stands, or below ``root``.

        Raises:
            ArchError: It is not there, or holds no classes.
        """
        given = Path(data.removeprefix(FOLDER)).expanduser()
        tried = list(dict.fromkeys([given, (root or DEFAULT_ROOT) / given]))
        path = next((path for path in tried if path.is_dir()), None)
        if path is None:
            raise ArchError("data", f"no folder {' or '.join(map(str, tried))} for {data}")
        parts = {name: path / name for name in ("train", "val", "test") if (path / name).is_dir()}
        if "train" not in parts or len(parts) == 1:
            parts = {}
        classes = tuple(sorted(_folders(parts.get("train", path))))
        if len(classes) < 2:
            message = f"{len(classes)} classes: give one sub-folder of images for each"
            raise ArchError("data", message, file=str(parts.get("train", path)))
        for part in parts.values():
            if other := sorted(set(_folders(part)) - set(classes)):
                raise ArchError("data", f"class {other[0]!r} is not in train/", file=str(part))
        return cls(path, classes, parts)


def _folders(path: Path) -> Iterator[str]:
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir() and not entry.name.startswith("."):
                    yield entry.name
    except OSError as error:
        raise ArchError("data", f"cannot read: {reason(error)}", file=str(path)) from None


def check_fit(
    data: str, shape: tuple[int, ...], classes: int | None, root: Path | None = None
) -> None:
    """Refuse a network that the data set cannot train.

    Args:
        data: The data set's name.
        shape: What the network takes: (channels, height, width).
        classes: How many classes the network tells apart; None where it has no single head.
        root: As for `needs`.

    Raises:
        ArchError: No such data set, or its images or classes are others.
    """
    asked = needs(data, root)
    if asked.input is not None and tuple(shape) != asked.input:
        message = f"{data} has images of {spelled(asked.input)}, the network takes {spelled(shape)}"
        raise ArchError("input", f"{message}; set input to {[*asked.input]}")
    if asked.input is None and shape[0] not in (1, 3):
        message = f"images of a folder have 1 or 3 channels, the network takes {spelled(shape)}"
        raise ArchError("input", message)
    if classes != asked.classes:
        has = "has no head with classes" if classes is None else f"has {classes}"
        message = f"{data} has {asked.classes} classes, the network {has}"
        raise ArchError("classes", f"{message}; set classes of its head")


def spelled(size: tuple[int, ...]) -> str:
    """Spell a size as people do: ``3x32x32``."""
    return "x".join(map(str, size))
