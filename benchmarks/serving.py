"""The explorer as users have it: a real server, and Chromium. For tests, pictures and timing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
"""Where the browser is, if there is one."""
PATIENCE = 60.0
"""Seconds until a server must answer."""


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[str]:
    """Run ``archgen app`` in a folder, and give its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    address = f"http://localhost:{port}"
    command = [sys.executable, "-m", "archgen", "app", "--port", str(port), "--no-open", *arguments]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)}
        )
    try:
        _wait(server, address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (URLError, TimeoutError):
            time.sleep(0.02)
    raise RuntimeError("the server does not answer; server.log says why")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run Chromium without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()
