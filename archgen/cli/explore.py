"""``archgen app``: the explorer in a browser, on this machine only."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Annotated

import typer

from archgen.cli.console import print_text
from archgen.errors import ArchError

HOST = "127.0.0.1"
_FLAGS = {
    "server.address": HOST,
    "server.allowedHosts": "localhost,127.0.0.1",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "5",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
}


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
    flags = [f"--{name}={value}" for name, value in _FLAGS.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    print_text(f"http://localhost:{port}")
    sys.stdout.flush()
    server = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL)
    try:
        status = server.wait()
    except KeyboardInterrupt:
        server.wait()  # the terminal sent it Ctrl-C as well
        return
    if status:
        raise ArchError("app", f"streamlit ended with status {status}")


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ArchError("app", f"port {port} is in use; choose another with --port") from None
