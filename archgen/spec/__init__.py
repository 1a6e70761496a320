"""Specs: the validated form of the YAML, and the way from there to a graph."""

from archgen.spec.differences import Difference, differences, merged
from archgen.spec.figure import Figure
from archgen.spec.net import Net, load, parse
from archgen.spec.parts import Compared, Init, Node, Paper, Published

__all__ = [
    "Compared",
    "Difference",
    "Figure",
    "Init",
    "Net",
    "Node",
    "Paper",
    "Published",
    "differences",
    "load",
    "merged",
    "parse",
]
