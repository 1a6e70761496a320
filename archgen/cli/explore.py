"""``archgen app``: the explorer in a browser, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from typing import Annotated

import typer

from archgen.cli.console import print_text
from archgen.errors import ArchError

HOST = "127.0.0.1"
_FLAGS = (
    f"--server.address={HOST}",
    "--server.allowedHosts=localhost",  # against DNS rebinding; one flag a host
    f"--server.allowedHosts={HOST}",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--server.maxUploadSize=5",
    "--browser.gatherUsageStats=false",
    "--client.toolbarMode=viewer",
)


def explore(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8501,
) -> None:
    """Explore networks in a browser.

    Shows costs, diagrams and specs; Ctrl-C ends it. It listens on this machine only and sends
    nothing anywhere.

    Examples:
        archgen app
        archgen app --port 8600
    """
    from archgen import files

    _refuse_taken(port)
    script = files.library("app") / "main.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    print_text(f"archgen explorer: http://localhost:{port} (Ctrl-C ends it)")
    sys.stdout.flush()
    os.execv(command[0], [*command, *_FLAGS])  # noqa: S606 - no shell is meant


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ArchError("app", f"port {port} is in use; choose another with --port") from None
