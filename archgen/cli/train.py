"""``archgen train``: one network, trained from scratch or from given weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import file_digest
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.build import enough_memory, make, refuse_large
from archgen.cli.console import note, print_json, print_text, working
from archgen.cli.epochs import progress, resumable
from archgen.cli.options import (
    Blocks,
    DataRoot,
    Device,
    Download,
    Json,
    Out,
    Set,
    Spec,
    assignments,
    checked_assignments,
    load_net,
)
from archgen.cli.out import outlet
from archgen.errors import ArchError, first, unknown
from archgen.files import check_file, reason
from archgen.train.trained import outcome

if TYPE_CHECKING:
    from torch import nn

    from archgen.spec import Net
    from archgen.train.recipe import Recipe


def train(
    spec: Spec,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Start from a paper's recipe, such as resnet_cifar."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="digits, fashion-mnist, cifar10, cifar100 or imagefolder:PATH."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides weights, order and chances.")] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="float32, bfloat16, float16 or auto: the fastest safe one."),
    ] = None,
    memory_format: Annotated[
        str | None, typer.Option(help="contiguous, channels_last or auto: the faster one.")
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="FIELD=VALUE",
            help="Set any other field of the recipe: mixup=0.2, optimizer=adamw. Repeatable.",
            callback=checked_assignments,
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Start from these weights, as archgen weights reads them.",
            show_default="new ones",
        ),
    ] = None,
    device: Device = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads on the CPU.",
            show_default="1 for small networks, else as PyTorch chooses",
        ),
    ] = None,
    data_root: DataRoot = None,
    download: Download = False,
    out: Out = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Train a network, from scratch or from given weights.

    It is judged on the validation split after each epoch, and once on the test split at the
    end. What no option sets is as the recipe says; without a recipe's name it is SGD with
    momentum for 12 epochs on digits, with a linear warm-up and a cosine schedule. archgen
    schema --study describes all fields. With --out, the run's state is in NAME.state.pt after
    every epoch, and the same command goes on from there, or says that the run is finished. With
    --from, all weights must fit, but for a classifier of other classes than the data's, which is
    started anew.

    Examples:
        archgen train pyramidnet_digits --epochs 8
        archgen train my_net.yaml --lr 0.05 --with mixup=0.2 --out nets
        archgen train resnet18 --from resnet18.pth --data imagefolder:photos --lr 0.01 --out nets
        archgen train my_net.yaml --recipe resnet_cifar --precision auto --memory-format auto
    """
    asked = _recipe(
        with_,
        recipe=recipe,
        data=data,
        epochs=epochs,
        batch=batch,
        lr=lr,
        seed=seed,
        precision=precision,
        memory_format=memory_format,
    )
    net = load_net(spec, set_, blocks)
    start = _digest(from_) if from_ is not None else None
    from archgen.train.adapt import adapt, is_small
    from archgen.train.recipes import RECIPES

    say = note if json else print_text
    if asked.recipe is not None:
        say(f"recipe {asked.recipe}: {RECIPES[asked.recipe].source}")
    adapted = adapt(net, asked.data, root=data_root, head_dropout=asked.head_dropout)
    net = adapted.net
    for change in adapted.changes:
        say(change)
    refuse_large(net)

    state = out / f"{net.name}.state.pt" if out is not None else None
    about = {
        "data": asked.data,
        "recipe": asked.model_dump_json(),
        "network": net.digest(),
        "start": start or "",
    }
    weights = out / f"{net.name}.safetensors" if out is not None else None
    ended = outcome(weights, about) if weights is not None else None
    written: list[Path] = []
    if ended is not None:
        say(f"this run is finished; remove {weights} to train once more")
    else:
        with outlet(out, net), enough_memory(net), resumable(state):
            with working("loading PyTorch and the data"):
                import torch

                from archgen.nn.save import save
                from archgen.train.data import load_data
                from archgen.train.device import choose_device, use_threads
                from archgen.train.evaluate import evaluate
                from archgen.train.loop import train as run

                chosen = choose_device(device)
                size = net.input
                sets = load_data(asked.data, chosen, root=data_root, download=download, size=size)
            small = is_small(net, asked.data)
            with use_threads(threads or (1 if small else torch.get_num_threads())):
                if from_ is None:
                    model = make(net, asked.seed)
                else:
                    model = _started(net, asked.seed, from_, say)
                with progress(asked, json=json) as report:
                    result = run(
                        model,
                        sets,
                        asked,
                        device=chosen,
                        report=report,
                        start=start,
                        state=state,
                        every_epoch=True,
                        note=say,
                    )
                if result.state != "finished":
                    if state is not None:
                        state.unlink(missing_ok=True)
                    hint = "lower --lr" if result.state == "diverged" else "lower --batch"
                    raise ArchError(net.name, f"{result.reason}; {hint}")
                test = evaluate(model, sets.test)
            ended = {
                "device": str(chosen),
                "seconds": result.seconds,
                "setting": asdict(result.setting),
                "validation": {"loss": result.loss, "top1": result.top1},
                "test": {"loss": test.loss, "top1": test.top1},
                "curve": [asdict(epoch) for epoch in result.curve],
            }
            if out is not None:
                written = save(model, net, out, metadata={**about, "run": dumps(ended)})
    if state is not None:
        state.unlink(missing_ok=True)
    if json:
        told = {"name": net.name, "changes": adapted.changes, "recipe": asked.model_dump()}
        print_json(told | {"from": from_, "files": written} | ended)
        return
    for path in written:
        print_text(f"wrote {path}")
    for split in ("validation", "test"):
        judged = ended[split]
        print_text(f"{split + ':':11} top-1 {judged['top1']:.2f}%, loss {judged['loss']:.4g}")


def _recipe(with_: Sequence[str] | None, **given: Any) -> Recipe:
    from pydantic import ValidationError

    from archgen.columns import from_validation
    from archgen.train.recipe import Recipe

    values = {name: value for name, value in given.items() if value is not None}
    values |= assignments(with_, "--with")
    for name in values.keys() - Recipe.model_fields.keys():
        raise ArchError("--with", unknown("field of a recipe", name, Recipe.model_fields))
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise from_validation(error, "") from None


def _digest(path: Path) -> str:
    """Hash a file of weights.

    Raises:
        ArchError: It cannot be read.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchError("", f"cannot read: {reason(error)}", file=str(path)) from None


def _started(net: Net, seed: int, path: Path, say: Callable[[str], None]) -> nn.Module:
    """Build a module with weights to fine-tune, and say what is theirs and what is new."""
    import torch

    from archgen.export.load import load_start

    torch.manual_seed(seed)
    loaded = load_start(net, path)
    fit = loaded.fit
    entry = f" ({loaded.entry})" if loaded.entry else ""
    say(f"starting from {path}{entry}: the names are those of {fit.naming.source}")
    if fit.new:
        say(f"new for {fit.net.graph().classes:,} classes: {first(fit.new)}")
    if strange := loaded.not_finite:
        say(f"not finite (NaN or infinity): {first(strange)}")
    return loaded.model
