"""Read files of weights, and give a network those that archgen wrote: all, or one clear line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archgen.errors import ArchError, first
from archgen.nn.formats import is_safetensors, read_safetensors, read_saved
from archgen.ops import Shape

ENTRIES = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "state_dict",
    "model_state_dict",
    "model",
)
"""Where trainers put the weights beside other things; averaged weights come first."""
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.")
"""What modules around a network put before every name: parallel, averaged, compiled ones, and
what trainers and detectors call theirs."""

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What weights are; a narrower one says nothing without the scales beside it."""
COUNTS = (*FLOATS, torch.int32, torch.int64)
"""What a norm's counter of steps may be: some convert all that a file holds."""

NESTED = 3
"""Entries inside entries that are looked into: a file may hold itself."""

FOLDED = {"form": "deploy"}
"""What the file of a deploy form says of itself."""
NOTHING = "holds no state_dict: tensors by name"


@dataclass(frozen=True)
class Weights:
    """What a file of weights holds.

    Args:
        path: The file.
        tensors: As in the ``state_dict`` of a network, on the CPU.
        metadata: What the file says of itself; ``data`` is the data set trained on.
        entry: Where in the file they were, where it holds more.
    """

    path: Path
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, str]
    entry: str = ""

    @property
    def folded(self) -> bool:
        """Whether the file says that they are a deploy form's."""
        return self.metadata.items() >= FOLDED.items()

    @property
    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of all tensors."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}


def read_weights(path: Path) -> Weights:
    """Read a ``.safetensors`` file, or one that ``torch.save`` wrote.

    What it begins with tells which, not its suffix. The latter holds a ``state_dict``, or one
    beside other things as trainers write it. Prefixes that modules around the network give to all
    names are left out. Nothing in the file is executed.

    Raises:
        ArchError: It cannot be read, or holds something else.
    """
    if is_safetensors(path):
        tensors, metadata = read_safetensors(path)
        if not tensors:
            raise ArchError("", NOTHING, file=str(path))
        return Weights(path, tensors if "archgen" in metadata else _plain(tensors), metadata)
    tensors, entry = _state(read_saved(path), path)
    return Weights(path, _plain(tensors), {}, entry)


def _state(content: Any, path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Find the tensors by name in what a file holds, and the entry that they are in."""
    for entry, inner in _entries(content):
        if inner and all(_named(name, value) for name, value in inner.items()):
            return dict(inner), ".".join(entry)
    keys = [*content] if isinstance(content, Mapping) else []
    # Whatever can be hashed may be a key; a tensor's text has many lines.
    shown = first(str(key) if isinstance(key, str | int) else type(key).__name__ for key in keys)
    raise ArchError("", f"{NOTHING}, only {shown}" if keys else NOTHING, file=str(path))


def _entries(content: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield all mappings that may hold the tensors, those with averaged ones first."""
    if isinstance(content, Mapping):
        yield above, content
        for entry in ENTRIES if len(above) < NESTED else ():
            yield from _entries(content.get(entry), (*above, entry))


def _named(name: Any, value: Any) -> bool:
    """Whether this is a tensor by name; one made of tensors has no shape."""
    return isinstance(name, str) and isinstance(value, torch.Tensor) and not value.is_nested


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Leave out the prefixes that all names have, and the count of averaged steps."""
    plain = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
    for prefix in PREFIXES * 2:  # in any order
        if all(name.startswith(prefix) for name in plain):
            plain = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
    return plain


def restore(model: nn.Module, weights: Weights) -> None:
    """Give a network its weights.

    Raises:
        ArchError: They are another network's, or no numbers; the message gives the first names.
    """
    given, state = weights.shapes, model.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in state.items()}
    both = [name for name in wanted if name in given and given[name] != wanted[name]]
    lacking = first(name for name in wanted if name not in given)
    more = first(name for name in given if name not in wanted)
    wrong = [
        f"it lacks {lacking}" if lacking else "",
        f"the network has no {more}" if more else "",
        first(f"{name} is {[*given[name]]}, not {[*wanted[name]]}" for name in both),
    ]
    if any(wrong):
        message = f"these weights are another network's: {'; '.join(filter(None, wrong))}"
        raise ArchError("", message, file=str(weights.path))
    model.load_state_dict({name: numbers(weights, name, like) for name, like in state.items()})


def numbers(weights: Weights, name: str, like: torch.Tensor) -> torch.Tensor:
    """Give a tensor of a file in the shape of a network's.

    Raises:
        ArchError: It holds no plain numbers, or more or fewer.
    """
    tensor = weights.tensors[name]
    kinds, what = (FLOATS, "floating-point ") if like.is_floating_point() else (COUNTS, "")
    if tensor.dtype not in kinds or tensor.layout != torch.strided or tensor.is_meta:
        kind = f"{tensor.dtype}, {tensor.layout}, {tensor.device}".replace("torch.", "")
        message = f"{name} is no plain tensor of {what}numbers ({kind})"
    elif tensor.numel() != like.numel():
        message = f"{name} is {[*tensor.shape]}, not {[*like.shape]}"
    else:
        return tensor.reshape(like.shape)
    raise ArchError("", message, file=str(weights.path))


def not_finite(model: nn.Module) -> list[str]:
    """Name the tensors of a network that hold NaN or an infinity."""
    return [name for name, tensor in model.state_dict().items() if not tensor.isfinite().all()]
