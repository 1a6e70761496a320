"""``archgen train``: one network, trained from scratch or from given weights."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.build import enough_memory, make, refuse_large
from archgen.cli.console import complain, note, print_json, print_text, working
from archgen.cli.options import (
    Blocks,
    DataRoot,
    Device,
    Download,
    Json,
    Set,
    Spec,
    assignments,
    checked_assignments,
    load_net,
)
from archgen.errors import ArchError, first, unknown
from archgen.files import reason

if TYPE_CHECKING:
    from torch import nn

    from archgen.spec import Net
    from archgen.train.recipe import Recipe
    from archgen.train.result import Epoch


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
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write NAME.py, NAME.safetensors and NAME.yaml there."),
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Train a network, from scratch or from given weights.

    It is judged on the validation split after each epoch, and once on the test split at the
    end. What no option sets is as the recipe says; without a recipe's name it is SGD with
    momentum for 12 epochs on digits, with a linear warm-up and a cosine schedule. archgen
    schema --study describes all fields. With --out, the run's state is in NAME.state.pt after
    every epoch, and the same command goes on from there. With --from, all weights must fit, but
    for a classifier of other classes than the data's, which is started anew.

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

    with working("loading PyTorch and the data"):
        import torch

        from archgen.nn.save import prepared, save
        from archgen.train.data import load_data
        from archgen.train.device import choose_device, use_threads
        from archgen.train.evaluate import evaluate
        from archgen.train.loop import train as run

        chosen = choose_device(device)
        sets = load_data(asked.data, chosen, root=data_root, download=download, size=net.input)
    state = out / f"{net.name}.state.pt" if out is not None else None
    small = is_small(net, asked.data)
    with (
        prepared(out) if out is not None else nullcontext(),
        use_threads(threads or (1 if small else torch.get_num_threads())),
        enough_memory(net),
        _resumable(state),
    ):
        model = make(net, asked.seed) if from_ is None else _started(net, asked.seed, from_, say)
        with _progress(asked, json=json) as report:
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
        about = {"data": asked.data, "recipe": asked.model_dump_json()}
        about |= {"from": from_.name} if from_ is not None else {}
        written = save(model, net, out, metadata=about) if out is not None else []
    if state is not None:
        state.unlink(missing_ok=True)
    if json:
        judged = {
            "validation": {"loss": result.loss, "top1": result.top1},
            "test": {"loss": test.loss, "top1": test.top1},
        }
        ran = {"device": str(chosen), "seconds": result.seconds, "files": written}
        curve = [asdict(epoch) for epoch in result.curve]
        told = {"name": net.name, "changes": adapted.changes, "recipe": asked.model_dump()}
        told |= {"from": from_}
        ran |= {"setting": asdict(result.setting)}
        print_json(told | ran | judged | {"curve": curve})
        return
    for path in written:
        print_text(f"wrote {path}")
    print_text(f"validation: top-1 {result.top1:.2f}%, loss {result.loss:.4g}")
    print_text(f"test:       top-1 {test.top1:.2f}%, loss {test.loss:.4g}")


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
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchError("", f"cannot read: {reason(error)}", file=str(path)) from None


def _started(net: Net, seed: int, path: Path, say: Callable[[str], None]) -> nn.Module:
    """Build a module with weights to fine-tune, and say what is theirs and what is new."""
    import torch

    from archgen.export.tune import load_start

    torch.manual_seed(seed)
    loaded = load_start(net, path)
    fit = loaded.fit
    say(f"starting from {path}: the names are those of {fit.naming.source}")
    if fit.new:
        say(f"new for {fit.net.graph().classes:,} classes: {first(fit.new)}")
    return loaded.model


@contextmanager
def _resumable(state: Path | None) -> Iterator[None]:
    """Say after Ctrl-C how the run goes on."""
    try:
        yield
    except KeyboardInterrupt:
        if state is None:
            complain("interrupted; with --out DIR, the same command would go on from here")
        else:
            complain(f"interrupted; the same command goes on from {state}")
        raise typer.Exit(130) from None


@contextmanager
def _progress(recipe: Recipe, *, json: bool) -> Iterator[Callable[[Epoch], None]]:
    """Show each epoch: a bar on a terminal, else a line; beside JSON on standard error."""
    if json or not sys.stdout.isatty():
        say = note if json else print_text
        yield lambda epoch: say(f"epoch {epoch.epoch:>{len(str(recipe.epochs))}}: {_said(epoch)}")
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    layout = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*layout) as bar:
        task = bar.add_task("", total=recipe.epochs)
        yield lambda epoch: bar.update(task, completed=epoch.epoch, description=_said(epoch))


def _said(epoch: Epoch) -> str:
    judged = f"top-1 {epoch.top1:.2f}%, loss {epoch.loss:.4g}"
    return f"{judged}, train loss {epoch.train_loss:.4g}, {epoch.seconds:.1f} s"
