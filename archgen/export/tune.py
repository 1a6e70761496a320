"""Weights to start a training from: all of them, but for a classifier of other classes."""

from __future__ import annotations

from pathlib import Path

from archgen.export.advice import only_classifier
from archgen.export.fit import fit
from archgen.export.load import Loaded, load_weights
from archgen.nn.weights import read_weights
from archgen.spec import Net


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
    others = only_classifier(fit(net, read_weights(path).shapes))
    loaded = load_weights(net, path, classes=net.graph().classes if others else None)
    loaded.model.float()
    return loaded
