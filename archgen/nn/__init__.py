"""Behind the torch wall: modules built from generated source."""

from archgen.nn.module import build
from archgen.nn.start import initialise

__all__ = ["build", "initialise"]
