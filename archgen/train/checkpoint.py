"""The state of a run in a file: written whole, read safely, refused where it is another run's."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeAlias

import torch
from torch import nn

from archgen.errors import ArchError
from archgen.files import reason, write_whole
from archgen.train.data import Data
from archgen.train.device import out_of_memory
from archgen.train.recipe import Recipe
from archgen.train.result import Epoch

State: TypeAlias = dict[str, Any]

FORMAT = 1
"""Of state files."""
SHARE = 0.02
"""The part of a run's time that writing its state may take."""
FIRST = 0.05
"""Seconds that the first writing is taken to take."""


class Keeper:
    """Keeps the last good state of a run: in memory always, in a file as often as that is cheap.

    Args:
        path: The file, or None for none. What is in it becomes `last`.
        mark: Which run this is, as `fingerprint` gives it.
        every_epoch: Write each state, whatever that costs.
        note: Told what a user should know.

    Raises:
        ArchError: The file is of another run, or cannot be read.
    """

    def __init__(
        self, path: Path | None, mark: State, *, every_epoch: bool, note: Callable[[str], None]
    ) -> None:
        self._path = path
        self._mark = mark
        self._cost = 0.0 if every_epoch else FIRST
        self._every_epoch = every_epoch
        self._written = time.perf_counter()
        self.last = _read(path, mark, note) if path is not None else None

    def keep(self, state: State, *, end: bool = False) -> None:
        """Take a state, which holds tensors of its own, as the last good one.

        Args:
            state: What the run needs to go on.
            end: Write it in any case.

        Raises:
            ArchError: It cannot be written.
        """
        self.last = state
        since = time.perf_counter() - self._written
        if self._path is None or not (end or self._every_epoch or self._cost < SHARE * since):
            return
        began = time.perf_counter()
        write_whole(self._path, _bytes({"mark": self._mark, **state}))
        self._written = time.perf_counter()
        self._cost = self._written - began


def held(value: Any) -> Any:
    """A copy on the CPU that no later step changes, of tensors in dicts and lists."""
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: held(each) for key, each in value.items()}
    return [held(each) for each in value] if isinstance(value, list) else value


def fingerprint(model: nn.Module, data: Data, recipe: Recipe, start: str | None = None) -> State:
    """Which run this is: a state of one run means nothing to another.

    Args:
        model: What is trained.
        data: What it is trained on.
        recipe: How.
        start: Which weights it starts from; None where the recipe's seed decides them.
    """
    tensors = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    sizes = [len(data.train), len(data.validation), data.classes]
    return {
        "format": FORMAT,
        "network": sha256(f"{model}{tensors}".encode()).hexdigest()[:16],
        "start": start,
        "images and classes": sizes,
        **recipe.model_dump(mode="json"),
    }


def saved_curve(path: Path) -> tuple[Epoch, ...]:
    """The epochs in a state file, without reading its weights; none if there is no sound file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return tuple(Epoch(**each) for each in state["curve"])
    except _DAMAGED:
        return ()


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the ``state_dict`` (on the CPU, for ``torch.load(weights_only=True)``), whole.

    Raises:
        ArchError: It cannot be written.
    """
    write_whole(path, _bytes({name: value.cpu() for name, value in model.state_dict().items()}))


def _bytes(value: Any) -> bytes:
    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


# What torch.load raises for a file that is none of its own, and what is in such a file causes.
_DAMAGED = (OSError, RuntimeError, UnpicklingError, EOFError, LookupError, TypeError, ValueError)


def _read(path: Path, mark: State, note: Callable[[str], None]) -> State | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArchError("", f"cannot read: {reason(error)}", file=str(path)) from None
    try:
        state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        found = state.pop("mark")
    except _DAMAGED as error:
        if out_of_memory(error):
            raise
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        note(f"{path} is damaged and now called {aside.name}; the run starts from the beginning")
        return None
    differs = [key for key in mark if found.get(key) != mark[key]]
    if differs:
        said = ", ".join(_difference(key, found.get(key), mark[key]) for key in differs)
        raise ArchError(
            "",
            f"the state of another run: {said}; give the values of that run to go on with it,"
            " or remove the file to start anew",
            file=str(path),
        )
    return state


def _difference(key: str, there: Any, here: Any) -> str:
    unsaid = {"network": "another network", "start": "other weights to start from"}
    return unsaid.get(key, f"{key} {there} there, {here} here")
