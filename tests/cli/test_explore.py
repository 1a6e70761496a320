"""``archgen app``: a real server, for this machine and under its own name only."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from archgen import files

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def status(port: int, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={**UPGRADE, **headers} if headers else {})
        return connection.getresponse().status
    finally:
        connection.close()


SCRIPT = str(files.library("app") / "main.py")
STARTS = {
    "archgen app": ["-m", "archgen", "app", "--no-open", "--port"],
    "streamlit run": [
        "-P", "-m", "streamlit", "run", SCRIPT, "--server.headless=true", "--server.port"
    ],
}  # fmt: skip
"""Ways to start it; each ends before the port."""


@pytest.fixture(params=STARTS)
def server(here: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    (here / "click.py").write_text("raise SystemExit('not the library')\n")
    port = free_port()
    log = (here / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, *STARTS[request.param], str(port)],
        cwd=here, stdout=log, stderr=log, env={**os.environ, "HOME": str(here)},
    )  # fmt: skip
    try:
        for _ in range(300):
            time.sleep(0.1)
            try:
                if status(port, "/_stcore/health") == 200:
                    break
            except OSError:
                assert process.poll() is None, (here / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def test_server_answers_this_machine_alone(server: int, here: Path) -> None:
    assert f":{server}" in (here / "log").read_text()
    for host, expected in [("localhost", 101), ("127.0.0.1", 101), ("evil.example", 403)]:
        assert status(server, "/_stcore/stream", Host=f"{host}:{server}") == expected, host
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", server), timeout=2).close()  # heard if on 0.0.0.0


def test_no_trace_of_a_bug_reaches_a_page() -> None:
    text = Path(SCRIPT).with_name(".streamlit").joinpath("config.toml").read_text()
    assert tomllib.loads(text)["client"]["showErrorDetails"] == "none"


def test_taken_port_is_one_line(run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("app", "--port", port)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"error: app: port {port} is in use; choose another with --port\n"


def test_a_spec_that_cannot_be_shown_is_one_line(run, here: Path) -> None:
    (here / "broken.yaml").write_text("name: x\ninput: [3, 8, 8]\nnodes: {a: {blok: conv}}\n")
    for spec, said in [("dpn13", "did you mean"), ("broken.yaml", "broken.yaml:3")]:
        result = run("app", spec)
        assert result.exit_code == 1
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
