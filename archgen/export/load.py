"""Load weights from elsewhere into a network: all of them, or one clear line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import torch
from torch import nn

from archgen.errors import ArchError
from archgen.export.advice import complaint
from archgen.export.fit import COUNTER, Fit, fit
from archgen.nn import build
from archgen.nn.weights import Weights, read_weights
from archgen.spec import Net


@dataclass(frozen=True)
class Loaded:
    """A network with weights from elsewhere.

    Args:
        model: The module, in training mode and on the CPU.
        fit: What was found under which name, and what was not.
    """

    model: nn.Module
    fit: Fit


def load_weights(
    net: Net, path: str | Path, *, classes: int | None = None, partial: bool = False
) -> Loaded:
    """Load a checkpoint of torchvision, timm or the papers' official code, or one of archgen's.

    Nothing in the file is executed. Half precision becomes torch's default type, float64 stays.

    Args:
        net: The network.
        path: A ``.safetensors`` file, or one that ``torch.save`` wrote: a ``state_dict`` or
            what trainers wrap around it. Averaged weights (EMA) are preferred.
        classes: Start a new classifier for so many classes; the rest is loaded.
        partial: Load what fits even if something is missing; that is initialised as the spec
            says, from torch's global random numbers.

    Raises:
        ArchError: The file cannot be read, or it does not fit; the message says what is missing
            and what would fit.
    """
    weights = read_weights(Path(path))
    found = fit(net, weights.shapes, classes=classes)
    if not (found.complete or (partial and found.found)):
        raise ArchError("", complaint(found, weights.shapes), file=str(path))
    return Loaded(fill(found, weights), found)


def fill(of: Fit, weights: Weights) -> nn.Module:
    """Build the network of a fit with the tensors that were found; the others are initialised.

    Raises:
        ArchError: A tensor holds no floating-point numbers.
    """
    given = {ours: weights.tensors[theirs] for ours, theirs in of.found.items()}
    for ours, tensor in given.items():
        if not tensor.is_floating_point() or tensor.layout != torch.strided:
            kind = f"{tensor.dtype}, {tensor.layout}".replace("torch.", "")
            message = f"{of.found[ours]} is no plain tensor of floating-point numbers ({kind})"
            raise ArchError("", message, file=str(weights.path))
    dtypes = {tensor.dtype for tensor in given.values()}
    model = build(of.net, init=bool(of.new or of.missing or of.misfits))
    model = model.to(reduce(torch.promote_types, dtypes, torch.get_default_dtype()))
    state = {}
    for name, like in model.state_dict().items():
        if name in given:
            state[name] = given[name].reshape(like.shape)
        elif name.endswith(COUNTER):
            theirs = of.found.get(name.replace(COUNTER, "running_mean"), "")
            state[name] = weights.tensors.get(theirs.replace("running_mean", COUNTER), like)
        else:
            state[name] = like
    model.load_state_dict(state)
    return model
