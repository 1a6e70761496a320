"""``archgen app``: the explorer in a browser, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from archgen.cli.console import print_text
from archgen.cli.options import complete_spec
from archgen.errors import ArchError

HOST = "127.0.0.1"
"""Where app/.streamlit/config.toml has it listen."""


def explore(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPEC]",
            help="What it shows first: a shipped spec's name, or a YAML file's path.",
            autocompletion=complete_spec,
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8501,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Open a browser, where there is a screen.")
    ] = True,
) -> None:
    """Explore networks in a browser: costs, diagrams, knobs, comparisons and searches.

    A file's text is copied: the file itself stays as it is. Ctrl-C ends the explorer, not the
    searches that were started in it. It listens on this machine only and sends nothing anywhere.

    Examples:
        archgen app
        archgen app my_net.yaml
        archgen app dpn131 --port 8600 --no-open
    """
    from archgen import files

    _refuse_taken(port)
    script = files.library("app") / "main.py"
    # -P: a click.py in the folder where it is called must not be taken for the library.
    # All else that the server is told is in app/.streamlit/config.toml.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    command += [] if open_ else ["--server.headless=true"]
    if spec is not None:
        command += ["--", f"--net={_word(spec)}"]
    print_text(f"archgen explorer: http://localhost:{port} (Ctrl-C ends it)")
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is meant


def _word(spec: str) -> str:
    """Write a spec as the explorer's address has it."""
    from archgen import files
    from archgen.explorer import Shown
    from archgen.spec import load

    load(spec).graph()
    if spec in files.names("specs"):
        return Shown(spec).word()
    return Shown(text=Path(spec).read_text(encoding="utf-8")).word()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ArchError("app", f"port {port} is in use; choose another with --port") from None
