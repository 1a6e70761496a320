"""Where a search runs: its devices, workers and threads, decided once and written down."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from archgen.errors import ArchError
from archgen.files import write_whole
from archgen.spec import Net
from archgen.study import worker
from archgen.study.crew import call, serve
from archgen.study.job import Job
from archgen.train.adapt import is_small

ENVIRONMENT = "environment.json"
_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?|mps")
_PACKAGES = ("archgen", "torch", "torchvision", "optuna", "numpy", "networkx", "pydantic")


@dataclass(frozen=True)
class Place:
    """Where a search runs.

    Args:
        job: What all its jobs have in common; the recipe has nothing left to decide.
        devices: One a worker.
        notes: What the user should know, in whole sentences.
    """

    job: Job
    devices: tuple[str, ...]
    notes: tuple[str, ...]


def check_device(name: str) -> None:
    """Refuse what is no device's name, before anything is loaded or written.

    Raises:
        ArchError: It is none of ``auto``, ``cpu``, ``cuda``, ``cuda:N`` and ``mps``.
    """
    if not _DEVICE.fullmatch(name):
        message = f"no device {name!r} (there are: auto, cpu, cuda, cuda:N, mps)"
        raise ArchError("device", message)


def settle_in(job: Job, net: Net, *, device: str, workers: int | None, trials: int) -> Place:
    """Find devices, deal them to workers, share out the CPU's cores; write it all down.

    Args:
        job: With the study's folder, recipe and data.
        net: The study's network: what it takes is loaded; a small one is trained by one thread.
        device: As `check_device` lets through.
        workers: How many; None for one a GPU, or one a core of the CPU.
        trials: Candidates to train in all, only to be written down.

    Raises:
        ArchError: The device is not here, or the data is not.
    """
    serve(job, net.input)
    found: list[tuple[str, str]] = call(worker.find_devices, device)
    names = [name for name, _ in found]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = cores or 1
    on_cpu = names == ["cpu"]
    many = workers or (cores if on_cpu else len(names))
    job = replace(
        job, device=names[0], threads=1 if is_small(net, job.recipe.data) else max(1, cores // many)
    )
    known = known_runs(job.home)
    setting = known[0].get("setting") if known else None
    if setting is None and "auto" in (job.recipe.precision, job.recipe.memory_format):
        setting = call(worker.decide, job)
    if setting is not None:
        chosen = {key: setting[key] for key in ("precision", "memory_format")}
        job = replace(job, recipe=job.recipe.model_copy(update=chosen))
    this = {
        "started": _now(),
        "trials": trials,
        "devices": [label for _, label in found],
        "workers": many,
        "threads": job.threads,
        "setting": setting,
        "machine": f"{platform.system()} {platform.machine()}, {cores} cores",
        "python": platform.python_version(),
        "git": _revision(),
        **_versions(),
    }
    _write(job.home, [*known, this])
    each = "1 thread each" if job.threads == 1 else f"{job.threads} threads each"
    notes = [f"{many} workers on {_listed(names)}, {each}"]
    if many == 1:
        notes = [f"1 worker on {_listed(names)}, {each.removesuffix(' each')}"]
    if setting is not None:
        notes.append("precision {precision}, memory format {memory_format}".format(**setting))
    if on_cpu and many > cores:
        notes.append(f"{many} workers share {cores} cores: they slow each other down")
    devices = tuple(names[index % len(names)] for index in range(many))
    return Place(job, devices, tuple(notes))


def write_ending(home: Path, ending: str) -> None:
    """Write down when and why the run that `settle_in` began has ended."""
    runs = known_runs(home)
    if runs and "ended" not in runs[-1]:
        runs[-1] |= {"ended": _now(), "ending": ending}
        _write(home, runs)


def _write(home: Path, runs: list[dict[str, Any]]) -> None:
    write_whole(home / ENVIRONMENT, json.dumps({"runs": runs}, indent=2) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def known_runs(home: Path) -> list[dict[str, Any]]:
    """The runs that a study's folder knows of, in their order."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        runs = json.loads((home / ENVIRONMENT).read_text(encoding="utf-8"))["runs"]
        return [run for run in runs if isinstance(run, dict)]
    return []


def wished(runs: Sequence[Mapping[str, Any]], trials: int) -> int:
    """How many candidates shall be trained in all: what the latest run was asked for.

    Args:
        runs: From `known_runs`.
        trials: The study's own number, where no run says another.
    """
    asked = runs[-1].get("trials") if runs else None
    return asked if isinstance(asked, int) and asked > 0 else trials


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _revision() -> str | None:
    """The commit of the repository that the search was started in, if it was in one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    with suppress(OSError, subprocess.SubprocessError):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        return ran.stdout.strip() or None
    return None
