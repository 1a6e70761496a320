"""Write a network: its source, its weights and its spec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import nn

from archgen.codegen import source
from archgen.errors import ArchError
from archgen.files import prepared, write_whole
from archgen.nn.folding import deploy_form
from archgen.nn.weights import FOLDED
from archgen.spec import Net


def save(
    model: nn.Module, net: Net, folder: Path, *, metadata: Mapping[str, str] | None = None
) -> list[Path]:
    """Write ``NAME.py``, ``NAME.safetensors`` and ``NAME.yaml``, all three or none.

    The module imports alone, and loads the weights with ``strict=True``.

    Args:
        model: What `build` made of `net`.
        net: The spec.
        folder: Where to; made if need be.
        metadata: What else the weights' file shall say of itself; ``data`` is the data set that
            they were trained on.

    Raises:
        ArchError: A file cannot be written; new files are gone again, old ones may be replaced.
    """
    return _write(
        folder,
        {
            f"{net.name}.safetensors": _weights(model, net.name, metadata),
            f"{net.name}.py": source(net),
            f"{net.name}.yaml": net.dump(),
        },
    )


def save_deployed(
    model: nn.Module, net: Net, folder: Path, *, metadata: Mapping[str, str] | None = None
) -> list[Path]:
    """Write ``NAME_deploy.py``, ``.safetensors`` and ``.yaml``, all three or none.

    There is no spec of what is folded: the YAML is that of the training form, and the weights'
    file says that it holds the folded one's. Arguments and errors are those of `save`.

    Args:
        model: What `deploy` made.
        net: The spec that was folded.
        folder: Where to; made if need be.
        metadata: What else the weights' file shall say of itself.

    Raises:
        ArchError: A file cannot be written; new files are gone again, old ones may be replaced.
    """
    graph = deploy_form(net).graph
    note = f"# The training form of {graph.name}, which was folded from it.\n"
    return _write(
        folder,
        {
            f"{graph.name}.safetensors": _weights(
                model, graph.name, {**(metadata or {}), **FOLDED}
            ),
            f"{graph.name}.py": source(graph),
            f"{graph.name}.yaml": note + net.dump(),
        },
    )


def _weights(model: nn.Module, name: str, metadata: Mapping[str, str] | None) -> bytes:
    # Copies, since a file cannot say that two names share a tensor.
    tensors = {
        name: tensor.cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }
    return to_bytes(tensors, {**(metadata or {}), "archgen": name})


def _write(folder: Path, contents: Mapping[str, str | bytes]) -> list[Path]:
    """Write files, all or none; the largest first, so that a full disk shows at once."""
    written: list[Path] = []
    with prepared(folder):
        try:
            for name, content in contents.items():
                path = folder / name
                new = not path.exists()
                write_whole(path, content)
                written += [path] if new else []
        except ArchError:
            for path in written:
                path.unlink(missing_ok=True)
            raise
    return [folder / name for name in contents]
