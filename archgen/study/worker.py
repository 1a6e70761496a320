"""What a process does that trains one candidate, and what else needs PyTorch in a search.

It is forked from a server that has PyTorch loaded; see `archgen.study.crew`. Whatever it prints
goes to its candidate's log. Imports torch inside functions.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing as mp
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from archgen.errors import ArchError
from archgen.files import reason, write_whole
from archgen.study.job import Alive, Done, Failed, GoingOn, Grown, Job, Message, Trained
from archgen.study.storage import CURVE, LOG, SPEC, STATE, WEIGHTS, trial_folder

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from torch import nn

    from archgen.train.data import Data
    from archgen.train.result import Epoch

Link: TypeAlias = "Connection[Message, Any]"
Task: TypeAlias = Callable[[Link, Any], Any]


class _GivenUp(Exception):  # noqa: N818 - a signal, not an error
    """The search has given the candidate in training up."""


def work(task: Task, link: Link, job: Any) -> None:
    """Run a task in a process of its own, which ends with the process that started it.

    Args:
        task: One of the functions below.
        link: To whoever started this.
        job: What it shall do.
    """
    # Ctrl-C reaches every process of a terminal; the search decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        link.send(Done(task(link, job)))
    except ArchError as error:
        link.send(Failed(str(error), everywhere=True))
    except OSError as error:
        _log(error)
        where = f" ({error.filename})" if error.filename else ""
        link.send(Failed(f"cannot go on: {reason(error)}{where}", everywhere=True))
    except Exception as error:
        _log(error)
        link.send(Failed(_one_line(error)))


def _end_with_parent() -> None:
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _log(error: BaseException) -> None:
    with suppress(OSError):  # where the disk is full, the log is on it
        traceback.print_exception(error)


def _one_line(error: BaseException) -> str:
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def find_devices(_: Link, name: str) -> list[tuple[str, str]]:
    """Every device that a name stands for, with what its maker calls it.

    Args:
        _: Not used.
        name: ``auto``, ``cpu``, ``cuda`` (all of them), ``cuda:N`` or ``mps``.

    Raises:
        ArchError: It is none of these, or is not here.
    """
    import torch

    from archgen.train.device import choose_device

    chosen = choose_device(name)
    if chosen.type != "cuda":
        return [(str(chosen), chosen.type)]
    every = chosen.index is None
    found = range(torch.cuda.device_count()) if every else [chosen.index]
    return [(f"cuda:{index}", torch.cuda.get_device_name(index)) for index in found]


def decide(_: Link, job: Job) -> dict[str, Any]:
    """The fastest safe precision and memory format for a study's spec as it stands."""
    from archgen.train.setting import choose_setting

    model, data = _prepared(job, job.home / SPEC)
    return asdict(choose_setting(model, data, job.recipe, device=_device(job)))


def train(link: Link, job: Job) -> None:
    """Train one candidate, from its checkpoint on if it has one."""
    from archgen.train.checkpoint import save_weights, saved_curve
    from archgen.train.loop import train as run

    place = trial_folder(job.home, job.number)
    _log_to(place / LOG)
    model, data = _prepared(job, place / SPEC)
    known = saved_curve(place / STATE)
    lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in known)
    write_whole(place / CURVE, lines)

    def go_on(said: GoingOn | Grown) -> None:
        link.send(said)
        if not link.recv():
            raise _GivenUp

    def report(epoch: Epoch) -> None:
        with (place / CURVE).open("a") as stream:
            stream.write(json.dumps(asdict(epoch)) + "\n")
        go_on(Grown(asdict(epoch)))

    try:
        go_on(GoingOn(tuple(asdict(epoch) for epoch in known)))
        result = run(
            model,
            data,
            job.recipe,
            device=_device(job),
            report=report,
            state=place / STATE,
            beat=_Beat(link),
            note=print,
        )
    except _GivenUp:
        ended = Trained("pruned")
    else:
        ended = Trained(result.state, result.reason)
    link.send(ended)
    if link.recv():
        save_weights(model, place / WEIGHTS)


def test(_: Link, job: Job) -> float:
    """Accuracy on the test split, in percent, of a candidate whose weights were kept."""
    import torch

    from archgen.train.evaluate import evaluate

    place = trial_folder(job.home, job.number)
    model, data = _prepared(job, place / SPEC)
    weights = torch.load(place / WEIGHTS, map_location="cpu", weights_only=True)
    model.load_state_dict(weights)
    return evaluate(model.to(_device(job)), data.test).top1


def _prepared(job: Job, spec: Path) -> tuple[nn.Module, Data]:
    """The network of a spec, its weights drawn from the recipe's seed; and the data."""
    import torch

    from archgen.blocks.outside import load_file
    from archgen.nn import build
    from archgen.spec import load as load_net
    from archgen.train.warm import load

    torch.set_num_threads(job.threads)
    for path in job.blocks:
        load_file(path)
    net = load_net(spec)
    data = load(job.data(net.input)).to(_device(job))
    torch.manual_seed(job.recipe.seed)
    return build(net), data


def _device(job: Job) -> Any:
    import torch

    return torch.device(job.device)


def _log_to(path: Path) -> None:
    """Send whatever is printed from now on to a file's end."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    # Line by line: a process that hangs is killed, and what it has not written is lost.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    faulthandler.enable()


class _Beat:
    """Tells the search that training goes on."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.last = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.last >= 1:
            self.last = now
            self.link.send(Alive())
