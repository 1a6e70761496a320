"""Behind the torch wall: modules built from generated source."""

from archgen.nn.folding import deploy
from archgen.nn.module import build
from archgen.nn.start import initialise

__all__ = ["build", "deploy", "initialise"]
