"""The table of commands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from inspect import cleandoc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from archgen.cli.bench import bench
from archgen.cli.build import build
from archgen.cli.calibrate import calibrate
from archgen.cli.check import check
from archgen.cli.console import complain
from archgen.cli.cost import cost
from archgen.cli.diff import diff
from archgen.cli.evaluate import evaluate
from archgen.cli.explore import explore
from archgen.cli.fit import fit
from archgen.cli.library import library
from archgen.cli.papers import papers
from archgen.cli.report import report
from archgen.cli.schema import schema
from archgen.cli.search import best, search
from archgen.cli.show import show
from archgen.cli.studies import studies
from archgen.cli.train import train
from archgen.cli.weights import weights
from archgen.errors import ArchError
from archgen.files import reason


class Commands(TyperGroup):
    """The group of all commands: a mistake of the user's is one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; leave with 1 after an error, 130 after Ctrl-C."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except ArchError as error:
            complain(str(error))
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _close_stdout()
            raise typer.Exit(141) from None
        except OSError as error:
            complain(f"{error.filename or 'standard output'}: {reason(error)}")
            _close_stdout()
            raise typer.Exit(1) from None
        return result


def _close_stdout() -> None:
    """Let Python's own flush at the end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        from archgen import __version__

        typer.echo(f"archgen {__version__}")
        raise typer.Exit


def _help(command: Callable[..., None]) -> str:
    """Give a docstring as help in which the examples keep their lines."""
    return cleandoc(command.__doc__ or "").replace("\nExamples:", "\n\b\nExamples:")


def archgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Convolutional networks as short specs: exact costs, plain PyTorch modules, search.

    A SPEC is the name of a shipped network (archgen list) or the path of a YAML file.

    Examples:
        archgen show dpn131
        archgen build dpn131 --out nets
        archgen search --space pyramid
    """


_NAMES = {library: "list", evaluate: "eval", explore: "app"}
app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.callback(help=_help(archgen))(archgen)
for _command in (
    library, papers, show, cost, diff, fit, bench, calibrate, check, build, weights, train,
    evaluate, search, studies, best, report, schema, explore,
):  # fmt: skip
    app.command(_NAMES.get(_command), help=_help(_command))(_command)
