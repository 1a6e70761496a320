"""``archgen train``: one network, trained from scratch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.build import enough_memory, make, refuse_large
from archgen.cli.console import note, print_json, print_text, working
from archgen.cli.options import Blocks, Device, Json, Set, Spec, load_net
from archgen.errors import ArchError

if TYPE_CHECKING:
    from archgen.train.loop import Epoch
    from archgen.train.recipe import Recipe


def train(
    spec: Spec,
    data: Annotated[str, typer.Option(help="The data set.")] = "digits",
    epochs: Annotated[int, typer.Option(help="Passes over the data.")] = 12,
    batch: Annotated[int, typer.Option(help="Images a step.")] = 64,
    lr: Annotated[float, typer.Option(help="The highest learning rate.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides weights, order and shifts.")] = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write NAME.py, NAME.safetensors and NAME.yaml there."),
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Train a network from scratch.

    With SGD with momentum, a linear warm-up and a cosine schedule. It is judged on the
    validation split after each epoch, and once on the test split at the end.

    Examples:
        archgen train pyramidnet_digits --epochs 8
        archgen train my_net.yaml --data digits --lr 0.05 --out nets
    """
    recipe = _recipe(data=data, epochs=epochs, batch=batch, lr=lr, seed=seed)
    net = load_net(spec, set_, blocks)
    from archgen.train.adapt import adapt

    fitting = adapt(net, data)
    net = fitting.net
    for change in fitting.changes:
        note(change)
    refuse_large(net)

    with working("loading PyTorch and the data"):
        from archgen.nn.save import prepared, save
        from archgen.train.data import load_data
        from archgen.train.evaluate import evaluate
        from archgen.train.loop import choose_device, use_threads
        from archgen.train.loop import train as run

        chosen = choose_device(device)
        sets = load_data(recipe.data, chosen, size=net.input)
    with prepared(out) if out is not None else nullcontext():
        with use_threads(1), enough_memory(net), _progress(recipe, json=json) as report:
            model = make(net, recipe.seed)
            result = run(model, sets, recipe, device=chosen, report=report)
            if result.state == "diverged":
                message = f"a loss was no finite number in epoch {len(result.curve)}; lower --lr"
                raise ArchError(net.name, message)
            scores = evaluate(model, sets.test)
        written = save(model, net, out) if out is not None else []
    if json:
        judged = {
            "validation": {"loss": result.loss, "top1": result.top1},
            "test": {"loss": scores.loss, "top1": scores.top1},
        }
        ran = {"device": str(chosen), "seconds": result.seconds, "files": written}
        curve = [asdict(epoch) for epoch in result.curve]
        about = {"name": net.name, "recipe": recipe.model_dump()}
        print_json(about | ran | judged | {"curve": curve})
        return
    for path in written:
        print_text(f"wrote {path}")
    print_text(f"validation: top-1 {result.top1:.2f}%, loss {result.loss:.4g}")
    print_text(f"test:       top-1 {scores.top1:.2f}%, loss {scores.loss:.4g}")


def _recipe(**given: Any) -> Recipe:
    from pydantic import ValidationError

    from archgen.columns import from_validation
    from archgen.train.datasets import needs
    from archgen.train.recipe import Recipe

    needs(given["data"])
    try:
        return Recipe(**given)
    except ValidationError as error:
        raise from_validation(error, "") from None


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
