"""Networks to be timed: a spec's, or timm's of a name."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from archgen.bench.extras import needs
from archgen.errors import ArchError
from archgen.nn import build
from archgen.ops import Shape, size
from archgen.spec import Net

IMAGES = 4
"""In the batch that norms take their statistics from."""


@dataclass(frozen=True)
class Subject:
    """A network with random weights, in evaluation mode, on the CPU, in float32.

    Args:
        name: A spec's name, or ``timm:NAME``.
        input: Shape of an image.
        model: Maps images (batch, channels, height, width) to a tensor or a tuple of them.
        package: That built it, ``archgen`` or ``timm``.
    """

    name: str
    input: Shape
    model: nn.Module
    package: str

    @property
    def folds(self) -> bool:
        """Whether `archgen.deploy` can fold it."""
        return self.package == "archgen"


def spec_subject(net: Net) -> Subject:
    """Build the network of a spec.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    return Subject(net.name, net.input, _settled(build(net), net.input), "archgen")


def check_timm(name: str) -> None:
    """Refuse a name that timm has no network of, before anything is built.

    Raises:
        ArchError: It has none, is not installed, or is broken.
    """
    with needs("timm", extra="peers"):
        import timm
    if not timm.is_model(name):
        close = get_close_matches(name, timm.list_models())
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        what = f"timm has no network {name!r}{hint}" if name else "give a name: timm:resnet50"
        raise ArchError("timm", what)


def timm_subject(name: str, image: Shape) -> Subject:
    """Build timm's network of a name; nothing is downloaded.

    Args:
        name: As timm lists it.
        image: Channels, height and width of what it shall look at.

    Raises:
        ArchError: timm is not installed, has no such network, or it takes no such images.
    """
    check_timm(name)
    import timm

    full = f"timm:{name}"
    model = timm.create_model(name, in_chans=image[0])
    try:
        return Subject(full, image, _settled(model, image), "timm")
    except (AssertionError, RuntimeError) as error:
        raise ArchError(full, f"it takes no images of {size(image)}: {error}") from None


@torch.no_grad()
def _settled(model: nn.Module, image: Shape) -> nn.Module:
    """Let norms take their statistics from random images, as training would.

    Without them, maps of deep networks grow from block to block: PyramidNet-110's to 10^12, which
    float16 does not hold.
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = None  # the plain mean over batches, of which there is one
    model.train()(torch.randn(IMAGES, *image))
    return model.eval()
