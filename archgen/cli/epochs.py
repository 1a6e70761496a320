"""What ``archgen train`` shows while it runs, and after Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from archgen.cli.console import complain, note, print_text

if TYPE_CHECKING:
    from archgen.train.recipe import Recipe
    from archgen.train.result import Epoch


@contextmanager
def resumable(state: Path | None) -> Iterator[None]:
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
def progress(recipe: Recipe, *, json: bool) -> Iterator[Callable[[Epoch], None]]:
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
