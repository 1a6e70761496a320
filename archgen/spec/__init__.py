"""Specs: the validated form of the YAML, and the way from there to a graph."""

from archgen.spec.figure import Figure
from archgen.spec.net import Net, load, parse
from archgen.spec.parts import Compared, Init, Node, Paper, Published

__all__ = ["Compared", "Figure", "Init", "Net", "Node", "Paper", "Published", "load", "parse"]
