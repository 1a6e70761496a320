"""Specs: the validated form of the YAML, and the way from there to a graph."""

from archgen.spec.net import Net, load, parse
from archgen.spec.parts import Init, Node, Paper

__all__ = ["Init", "Net", "Node", "Paper", "load", "parse"]
