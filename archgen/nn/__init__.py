"""Behind the torch wall: modules built from generated source."""

from archgen.nn.build import build
from archgen.nn.init import initialise

__all__ = ["build", "initialise"]
