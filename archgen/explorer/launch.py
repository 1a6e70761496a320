"""Searches that the explorer starts and stops: each is a process of its own, and outlives it."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgen import files, yamlfile
from archgen.errors import ArchError, unknown
from archgen.explorer.settings import Setting, changed
from archgen.study.definition import Limit, Study
from archgen.study.load import parse_study
from archgen.study.place import check_device, known_runs
from archgen.study.runs import owner
from archgen.study.status import GOES_ON
from archgen.study.storage import LOCK, RUNS, SPEC, STUDY, owned, settle, writable

SAID = "search.log"
"""In a search's folder: what it printed, if it was started from here."""
STARTING = "starting ..."
"""The first line there, until the search has one."""
PATIENCE = 60.0
"""Seconds in which a search that is started finds its devices, or is left to itself."""
_TAIL = 4096


@dataclass(frozen=True)
class StudyText:
    """A study as it is written.

    Args:
        text: YAML.
        spec: Its spec as YAML; empty where the study names a shipped one.
        file: What it is called.
        spec_file: What its spec is called.
    """

    text: str
    spec: str = ""
    file: str = "study.yaml"
    spec_file: str = "spec.yaml"


@dataclass(frozen=True)
class Search:
    """A search that is running.

    Args:
        folder: Where its results go.
        process: The number of its process.
        said: The last line that it printed; empty where it prints elsewhere.
    """

    folder: Path
    process: int
    said: str


def origins() -> list[str]:
    """What a search can begin with: shipped studies by name, and folders of earlier searches."""
    return [*files.names("studies"), *sorted(str(path.parent) for path in RUNS.glob(f"*/{STUDY}"))]


def written(origin: str) -> StudyText:
    """Read one of `origins`.

    Raises:
        ArchError: It is none of them, or cannot be read.
    """
    known = origins()
    if origin not in known:
        raise ArchError("", unknown("study", origin, known))
    if origin in files.names("studies"):
        return StudyText(_text(files.find("studies", origin)))
    return StudyText(_text(Path(origin) / STUDY), _text(Path(origin) / SPEC))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ArchError("", f"cannot read: {files.reason(error)}", file=str(file)) from None


def uploaded(content: bytes, name: str) -> str:
    """Read a file that someone uploads.

    Raises:
        ArchError: It is no text in UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ArchError("", "is no text in UTF-8", file=name) from None


def checked(given: StudyText, changes: Mapping[str, Any]) -> Study:
    """Make a study of its text with some values changed.

    Args:
        given: As it was written.
        changes: Dotted path to value; None takes a key away.

    Raises:
        ArchError: A mistake in the study or its spec, with its line; or in a change.
    """
    study = parse_study(given.text, given.spec, file=given.file, spec_file=given.spec_file)
    data = yamlfile.parse(given.text, given.file).value
    asked = changed(data, changes)
    if "keep" in asked:
        asked["keep"] = {cost: limit for cost, limit in asked["keep"].items() if limit}
    if asked == data:
        return study
    try:
        return parse_study(yamlfile.dump(asked), given.spec, spec_file=given.spec_file)
    except ArchError as error:  # in no line that anyone wrote
        raise ArchError(error.path, error.message) from None


def limits(study: Study) -> list[Setting]:
    """The bounds of a study's costs, those of parameters and MACs even where it has none."""
    found = []
    for cost in dict.fromkeys([*study.keep, "params", "macs"]):
        limit = study.keep.get(cost)
        solved = limit is not None and limit.equal is not None
        for name in ("equal",) if solved else ("max", "min"):
            value = getattr(limit, name, None)
            told = Limit.model_fields[name].description or ""
            path, label = f"keep.{cost}.{name}", f"{cost}, {name}"
            found.append(Setting(path, label, "number", value, None, None, (), told))
    return found


def devices() -> list[str]:
    """The devices that this machine seems to have, as ``archgen search --device`` takes them.

    Without torch, which may see more, or be built for fewer: a search tells when it has begun.
    """
    found = [path.name for path in Path("/dev").glob("nvidia*")]
    numbers = sorted(int(name[6:]) for name in found if name[6:].isdecimal())
    several = ["cuda"] if len(numbers) > 1 else []
    metal = ["mps"] if (platform.system(), platform.machine()) == ("Darwin", "arm64") else []
    return ["auto", "cpu", *several, *(f"cuda:{number}" for number in numbers), *metal]


def start(study: Study, *, workers: int | None = None, device: str = "auto") -> None:
    """Start a search, or go on with an earlier one, and wait until its devices are found.

    A search that takes longer than `PATIENCE` for it is left to itself.

    Args:
        study: From `checked`.
        workers: Candidates trained side by side; None for as many as the machine has places.
        device: As ``archgen search --device`` takes it.

    Raises:
        ArchError: Another search is running on this study, its folder is another study's or
            cannot be written, or the search ended with an error.
    """
    check_device(device)
    folder = RUNS / study.name
    with owned(folder):
        settle(folder, study)
    command = [sys.executable, "-P", "-m", "archgen", "search", "--space", str(folder / STUDY)]
    command += ["--device", device, *(["--workers", str(workers)] if workers else [])]
    before = len(known_runs(folder))
    with writable(folder), (folder / SAID).open("ab") as log:
        log.write(f"{STARTING}\n".encode())
        log.flush()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    threading.Thread(target=process.wait, daemon=True).start()  # or a zombie would be left
    end = time.monotonic() + PATIENCE
    while process.poll() is None and len(known_runs(folder)) == before:
        if time.monotonic() > end:
            return
        time.sleep(0.05)
    if process.poll():
        raise ArchError("", said(folder).removeprefix("error: "))


def running() -> list[Search]:
    """The searches that are running on this machine, whoever started them."""
    folders = sorted(lock.parent for lock in RUNS.glob(f"*/{LOCK}"))
    owners = {folder: owner(folder) for folder in folders}
    return [Search(folder, process, said(folder)) for folder, process in owners.items() if process]


def said(folder: Path) -> str:
    """The last line that a search printed, if it was started from here; else empty."""
    try:
        with (folder / SAID).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
            lines = log.read().decode(errors="replace").splitlines()
            written = os.fstat(log.fileno()).st_mtime_ns
        begun = (folder / LOCK).stat().st_mtime_ns
    except OSError:
        return ""
    last = lines[-1].strip() if lines else ""
    elsewhere = written < begun and last != STARTING
    return "" if elsewhere else last


def ended(folder: Path) -> str:
    """The last line of a search that has ended, in words of the page that goes on with it."""
    return said(folder).replace(GOES_ON, "press Start to go on")


def stop(search: Search) -> bool:
    """Ask a search to end as Ctrl-C does: it keeps all results.

    Returns:
        Whether it was asked: not where it has ended.

    Raises:
        ArchError: The process belongs to another user.
    """
    if owner(search.folder) != search.process:
        return False
    try:
        os.kill(search.process, signal.SIGINT)
    except ProcessLookupError:
        return False
    except PermissionError:
        message = f"process {search.process} belongs to another user, who can stop it"
        raise ArchError("", message, file=str(search.folder)) from None
    return True
