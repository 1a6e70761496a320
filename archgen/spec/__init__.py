"""Specs: the validated form of the YAML, and the way from there to a graph."""

from archgen.spec.net import Init, Net, Node, Paper, load, parse

__all__ = ["Init", "Net", "Node", "Paper", "load", "parse"]
