"""What only a process of its own can show: start-up, pipes, signals, colours."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from archgen.cli import main

HEAVY = ["torch", "optuna", "streamlit", "plotly", "sklearn", "networkx", "numpy"]
PROBE = f"""
import sys
from archgen.cli import main
try:
    main()
finally:
    loaded = [name for name in {HEAVY} if name in sys.modules]
    print("loaded:", *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    ["--help", "show --help", "--version", "show dpn131", "show dpn68 --ops --json",
     "show parnet_s --dot", "show dpn68 --source", "list", "list --json", "papers",
     "papers --json", "check dpn131", "schema", "schema --study", "build nowhere",
     "bench nowhere", "bench --help", "search --space nowhere"],
)  # fmt: skip
def test_nothing_heavy_is_imported(command: str, here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command.split()],
        cwd=here, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if "nowhere" in command else 0), done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("command", ["show dpn131 --ops", "list --json", "schema"])
def test_a_reader_that_leaves_early_is_no_error(command: str, here: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "archgen", *command.split()],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert err == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output(here: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "archgen", "show", "dpn131", "--ops"],
            cwd=here, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "error: standard output: no space left on device\n"


SLOW = """
import sys, time
import archgen.view
from archgen.cli import main
archgen.view.spec_rows = lambda pattern: (print("ready", flush=True), time.sleep(60))
sys.argv[1:] = ["list"]
main()
"""


def test_ctrl_c_is_one_line(here: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "error: interrupted\n")


def test_ctrl_c_while_modules_are_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "archgen.cli.commands", Interrupted("commands"))
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def on_a_terminal(command: list[str], **env: str) -> str:
    """Run a command on a pseudo-terminal; give what it shows."""
    leader, follower = pty.openpty()
    surroundings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "archgen", *command],
        stdin=follower, stdout=follower, stderr=follower, env={**surroundings, **env},
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:  # Linux says so at the end
        pass
    process.wait(timeout=60)
    os.close(leader)
    return shown.decode()


def test_colours_on_a_terminal_and_nowhere_else(here: Path) -> None:
    assert on_a_terminal(["show", "nowhere"]).startswith("\x1b[31merror: no spec 'nowhere'")
    assert on_a_terminal(["show", "nowhere"], NO_COLOR="1").startswith("error: ")
    assert "\x1b[1mpath" in on_a_terminal(["show", "dpn131"], COLUMNS="100")
    done = subprocess.run(
        [sys.executable, "-m", "archgen", "show", "nowhere"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "command", ["list dpn --json", "show dpn131 --ops --json", "check dpn131 --json", "schema"]
)
def test_json_is_all_there_is_on_standard_output(command: str, shell) -> None:
    result = shell(*command.split())
    assert result.returncode == 0
    assert result.stderr == ""
    json.loads(result.stdout)
