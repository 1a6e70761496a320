"""Read weights that archgen wrote, and give them to a network: all of them, or one clear line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from archgen.errors import ArchError

SHOWN = 2
"""Names that a message gives."""


@dataclass(frozen=True)
class Weights:
    """What a file of weights holds.

    Args:
        path: The file.
        tensors: As in the ``state_dict`` of a network, on the CPU.
        metadata: What the file says of itself; ``data`` is the data set trained on.
    """

    path: Path
    tensors: dict[str, torch.Tensor]
    metadata: dict[str, str]


def read_weights(path: Path) -> Weights:
    """Read a ``.safetensors`` file, or a ``state_dict`` that ``torch.save`` wrote.

    Nothing in the file is executed.

    Raises:
        ArchError: It cannot be read, or holds something else.
    """
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return Weights(path, tensors, file.metadata() or {})
        except (OSError, SafetensorError) as error:
            raise _unreadable(path, error) from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise _unreadable(path, error) from None
    except Exception:  # torch and pickle raise whatever a damaged file leads them to
        reason = "neither a .safetensors file nor a sound one that torch.save wrote"
        raise ArchError("", f"cannot read these weights: {reason}", file=str(path)) from None
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise ArchError("", "holds no state_dict: tensors by name", file=str(path))
    return Weights(path, content, {})


def restore(model: nn.Module, weights: Weights) -> None:
    """Give a network its weights.

    Raises:
        ArchError: They are another network's; the message gives the first names.
    """
    given = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    both = [name for name in wanted if name in given and given[name] != wanted[name]]
    wrong = [
        _some("it lacks", [name for name in wanted if name not in given]),
        _some("the network has no", [name for name in given if name not in wanted]),
        _some("", [f"{name} is {[*given[name]]}, not {[*wanted[name]]}" for name in both]),
    ]
    if any(wrong):
        message = f"these weights are another network's: {'; '.join(filter(None, wrong))}"
        raise ArchError("", message, file=str(weights.path))
    model.load_state_dict(weights.tensors)


def _some(what: str, names: Iterable[str]) -> str:
    first, more = [*names][:SHOWN], len([*names]) - SHOWN
    if not first:
        return ""
    return f"{what} {', '.join(first)}{f' and {more} more' if more > 0 else ''}".lstrip()


def _unreadable(path: Path, error: Exception) -> ArchError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or "is empty"
    return ArchError("", f"cannot read these weights: {reason.lower()}", file=str(path))
