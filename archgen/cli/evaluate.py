"""``archgen eval``: how good trained weights are, and how fast."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.build import enough_memory
from archgen.cli.console import note, print_json, print_table, print_text, working
from archgen.cli.options import Blocks, DataRoot, Device, Download, Json, load_net
from archgen.errors import ArchError

if TYPE_CHECKING:
    from archgen.nn.weights import Weights
    from archgen.train.data import Data
    from archgen.train.evaluate import Scores


class Part(StrEnum):
    """The splits that weights may be judged on."""

    TEST = "test"
    VALIDATION = "validation"


def evaluate(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CKPT",
            help="Weights that archgen has written, or the folder that holds them.",
            show_default=False,
        ),
    ],
    spec: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC", help="Their spec.", show_default="NAME.yaml or spec.yaml beside them"
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="The data set.", show_default="what they were trained on")
    ] = None,
    part: Annotated[Part, typer.Option("--split", help="The split to judge them on.")] = Part.TEST,
    resolution: Annotated[
        int | None,
        typer.Option(min=1, max=8192, help="Height of the images.", show_default="the network's"),
    ] = None,
    ten_crop: Annotated[
        bool,
        typer.Option("--ten-crop", help="Mean over corners and middle of larger images, mirrored."),
    ] = False,
    mean_max: Annotated[
        bool,
        typer.Option("--mean-max", help="DPN's pooling of larger images: half mean, half max."),
    ] = False,
    per_class: Annotated[bool, typer.Option("--per-class", help="Show each class.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Images at once.")] = 256,
    device: Device = "auto",
    data_root: DataRoot = None,
    download: Download = False,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Judge trained weights: accuracy, loss and speed.

    The spec is found beside the weights, and the data set in what training has left. What
    --deploy has written is judged as the folded network that it is. Crops of ten-crop have the
    network's own size; with --resolution they are cut from images of that height, without it
    from 8/7 of their own.

    Examples:
        archgen eval nets/pyramidnet_digits.safetensors
        archgen eval studies/runs/pyramid/trials/0079 --split validation --per-class
        archgen eval nets --data imagefolder:photos --resolution 320 --mean-max
    """
    path = _weights_file(checkpoint)
    net = load_net(spec or str(_spec_beside(path)), None, blocks)
    with working("loading PyTorch and the data"):
        from archgen.nn.weights import read_weights
        from archgen.train.adapt import adapt
        from archgen.train.data import load_data
        from archgen.train.device import choose_device
        from archgen.train.evaluate import evaluate as judge
        from archgen.train.views import View

        weights = read_weights(path)
        name = data or _trained_on(weights)
        fitting = adapt(net, name, root=data_root)
        for change in fitting.changes:
            note(change)
        own = fitting.net
        view = View.of(own, resolution=resolution, ten_crop=ten_crop, mean_max=mean_max)
        chosen = choose_device(device)
        sets = load_data(name, chosen, root=data_root, download=download, size=own.input)
    split = sets.test if part is Part.TEST else sets.validation
    with enough_memory(own):
        model = view.model(weights).to(chosen)
        with _progress(math.ceil(len(split) / batch)) as beat:
            scores = judge(model, view.images(split), batch=batch, beat=beat)
    about = {
        "name": own.name,
        "folded": weights.folded,
        "weights": path,
        "data": name,
        "split": part.value,
        "images": len(split),
        "input": [own.input[0], *view.size],
        "ten_crop": ten_crop,
        "mean_max": mean_max,
        "device": str(chosen),
    }
    if json:
        print_json(about | _document(scores, sets))
    else:
        _print(about, scores, sets, per_class=per_class)


def _weights_file(given: Path) -> Path:
    """Give the file of weights: the one that is named, or the only one in the folder."""
    if not given.is_dir():
        if not given.is_file():
            raise ArchError("", "no such file or folder", file=str(given))
        return given
    found = sorted([*given.glob("*.safetensors"), *given.glob("weights.pt")])
    if len(found) != 1:
        names = f": {', '.join(path.name for path in found)}" if found else ""
        wanted = "one .safetensors file or a weights.pt"
        raise ArchError("", f"needs {wanted}, has {len(found)}{names}", file=str(given))
    return found[0]


def _spec_beside(weights: Path) -> Path:
    for path in (weights.with_suffix(".yaml"), weights.with_name("spec.yaml")):
        if path.is_file():
            return path
    message = f"no {weights.stem}.yaml or spec.yaml beside these weights; give --spec"
    raise ArchError("", message, file=str(weights))


def _trained_on(weights: Weights) -> str:
    """Name the data set that the weights, or the study around them, were trained on."""
    if "data" in weights.metadata:
        return weights.metadata["data"]
    if len(weights.path.resolve().parents) > 2:
        study = weights.path.resolve().parents[2] / "study.yaml"
        if study.is_file():
            from archgen.study.load import read_study

            return read_study(study).train.data
    raise ArchError("", "does not say what it was trained on; give --data", file=str(weights.path))


@contextmanager
def _progress(batches: int) -> Iterator[Callable[[], None]]:
    """Show on a terminal how far it is."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("batches", total=batches)
        yield lambda: bar.advance(task)


def _document(scores: Scores, sets: Data) -> dict[str, Any]:
    figures = {
        name: getattr(scores, name) for name in ("top1", "top5", "loss", "images_per_second")
    }
    classes = dict(zip(sets.class_names, scores.per_class, strict=True))
    return {
        **{name: _finite(value) for name, value in figures.items()},
        "per_class": {name: _finite(value) for name, value in classes.items()},
    }


def _finite(value: float) -> float | None:
    """JSON has no other numbers."""
    return value if math.isfinite(value) else None


def _print(about: dict[str, Any], scores: Scores, sets: Data, *, per_class: bool) -> None:
    size = "x".join(map(str, about["input"]))
    how = ["ten-crop"] * about["ten_crop"] + ["mean-max pooling"] * about["mean_max"]
    split = f"{about['split']} split of {about['data']}"
    name = about["name"] + ", folded," * about["folded"]
    print_text(", ".join([f"{name} on the {split}", size, *how, about["device"]]))
    row = (
        f"{about['images']:,}",
        f"{scores.top1:.2f}%",
        f"{scores.top5:.2f}%",
        f"{scores.loss:.4f}",
        f"{scores.images_per_second:,.0f}",
    )
    print_table([">images", ">top-1", ">top-5", ">loss", ">images/s"], [row])
    if per_class:
        print_text("")
        cells = zip(sets.class_names, scores.per_class, strict=True)
        print_table(["class", ">top-1"], [(name, f"{value:.2f}%") for name, value in cells])
