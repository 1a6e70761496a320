"""Load weights from elsewhere into a network: all of them, or one clear line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import torch
from torch import nn

from archgen.errors import ArchError
from archgen.export.advice import complaint, difference, only_classifier
from archgen.export.fit import COUNTER, Fit, fit
from archgen.nn import build
from archgen.nn.weights import Weights, not_finite, numbers, read_weights
from archgen.spec import Net


@dataclass(frozen=True)
class Loaded:
    """A network with weights from elsewhere.

    Args:
        model: The module, in training mode and on the CPU.
        fit: What was found under which name, and what was not.
        entry: Where in the file the weights were (``state_dict_ema``), where it holds more.
    """

    model: nn.Module
    fit: Fit
    entry: str = ""

    @property
    def not_finite(self) -> list[str]:
        """Names of the tensors that hold NaN or an infinity."""
        return not_finite(self.model)


def load_weights(
    net: Net, path: str | Path, *, classes: int | None = None, partial: bool = False
) -> Loaded:
    """Load a checkpoint of torchvision, timm or the papers' official code, or one of archgen's.

    Nothing in the file is executed. Half precision becomes torch's default type, float64 stays.

    Args:
        net: The network.
        path: A ``.safetensors`` file, or one that ``torch.save`` wrote: a ``state_dict`` or
            what trainers wrap around it. Averaged weights (EMA) are preferred: ``entry`` of the
            result says which were taken.
        classes: Start a new classifier for so many classes; the rest is loaded.
        partial: Load what fits even if something is missing; that is initialised as the spec
            says, from torch's global random numbers.

    Raises:
        ArchError: The file cannot be read, or it does not fit; the message says what is missing
            and what would fit.
    """
    weights = read_weights(Path(path))
    found = fit(net, weights.shapes, classes=classes)
    return Loaded(fill(found, weights, partial=partial), found, weights.entry)


def load_start(net: Net, path: Path) -> Loaded:
    """Load weights to fine-tune, in float32.

    Where nothing but the number of classes differs from the network's, its classifier is
    initialised, from torch's global random numbers. All else is as for `load_weights`.

    Args:
        net: The network, with the classes of the data.
        path: As for `load_weights`.

    Raises:
        ArchError: The file cannot be read, or it does not fit.
    """
    weights = read_weights(path)
    found = fit(net, weights.shapes)
    if only_classifier(found):
        found = fit(net, weights.shapes, classes=net.graph().classes)
    if not found.complete:
        message = f"{difference(found, weights.shapes)}; archgen weights says what would fit"
        raise ArchError("", message, file=str(path))
    return Loaded(fill(found, weights).float(), found, weights.entry)


def fill(of: Fit, weights: Weights, *, partial: bool = False) -> nn.Module:
    """Build the network of a fit with the tensors that were found; the others are initialised.

    Args:
        of: The fit.
        weights: The file that it is of.
        partial: Take what fits even if something is missing.

    Raises:
        ArchError: It does not fit, and what would; or a tensor holds no floating-point numbers.
    """
    if not of.loads(partial=partial):
        raise ArchError("", complaint(of, weights.shapes), file=str(weights.path))
    model = build(of.net, init=bool(of.new or of.missing or of.misfits))
    state = {}
    for name, like in model.state_dict().items():
        if name.endswith(COUNTER):
            mean = of.found.get(name.replace(COUNTER, "running_mean"))
            theirs = mean and mean.replace("running_mean", COUNTER)
        else:
            theirs = of.found.get(name)
        if theirs is None or theirs not in weights.tensors:
            state[name] = like
        else:
            state[name] = numbers(weights, theirs, like)
    dtypes = {state[name].dtype for name in of.found}
    model = model.to(reduce(torch.promote_types, dtypes, torch.get_default_dtype()))
    model.load_state_dict(state)
    return model
