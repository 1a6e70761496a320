"""Read files of weights, and give a network those that archgen wrote: all, or one clear line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from archgen.errors import ArchError, first
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
PREFIXES = ("module.", "_orig_mod.")
"""What parallel, averaged and compiled modules put before every name."""

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
    def shapes(self) -> dict[str, Shape]:
        """Names and shapes of all tensors."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}


def read_weights(path: Path) -> Weights:
    """Read a ``.safetensors`` file, or one that ``torch.save`` wrote.

    The latter holds a ``state_dict``, or one beside other things as trainers write it. Prefixes
    that parallel modules give to all names are left out. Nothing in the file is executed.

    Raises:
        ArchError: It cannot be read, or holds something else.
    """
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                metadata = file.metadata() or {}
        except (OSError, SafetensorError) as error:
            raise _unreadable(path, error) from None
        if not tensors:
            raise ArchError("", NOTHING, file=str(path))
        return Weights(path, tensors if "archgen" in metadata else _plain(tensors), metadata)
    try:
        # Trainers write their options beside the weights; a Namespace runs no code. What torch
        # warns of (archives of TorchScript, sparse tensors) is refused in a line.
        with safe_globals([Namespace]), catch_warnings(action="ignore"):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise _unreadable(path, error) from None
    except Exception:  # torch and pickle raise whatever a damaged file leads them to
        raise ArchError("", f"cannot read these weights: {_reason(path)}", file=str(path)) from None
    tensors, entry = _state(content, path)
    return Weights(path, _plain(tensors), {}, entry)


def _state(content: Any, path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Find the tensors by name in what a file holds, and the entry that they are in."""
    if isinstance(content, Mapping) and content:
        if all(isinstance(value, torch.Tensor) for value in content.values()):
            return dict(content), ""
        for entry in ENTRIES:
            if isinstance(content.get(entry), Mapping):
                tensors, inner = _state(content[entry], path)
                return tensors, ".".join(filter(None, [entry, inner]))
    has = f", only {first(map(str, content))}" if isinstance(content, Mapping) and content else ""
    raise ArchError("", NOTHING + has, file=str(path))


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Leave out the prefixes that all names have, and the count of averaged steps."""
    plain = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
    for prefix in PREFIXES * 2:  # in either order
        if all(name.startswith(prefix) for name in plain):
            plain = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
    return plain


def _reason(path: Path) -> str:
    """Say why torch refuses a file."""
    try:
        refused = get_unsafe_globals_in_checkpoint(path)
    except Exception:  # as above
        return "neither a .safetensors file nor a sound one that torch.save wrote"
    others = [name for name in refused if name != "argparse.Namespace"]
    if not others:
        return "damaged, or not tensors by name"
    return f"it holds {first(others)}, which is not executed; save its state_dict alone"


def restore(model: nn.Module, weights: Weights) -> None:
    """Give a network its weights.

    Raises:
        ArchError: They are another network's; the message gives the first names.
    """
    given = weights.shapes
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
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
    model.load_state_dict(weights.tensors)


def _unreadable(path: Path, error: Exception) -> ArchError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or "is empty"
    return ArchError("", f"cannot read these weights: {reason.lower()}", file=str(path))
