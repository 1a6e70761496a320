"""All blocks that specs can name: one file a family, one class a block."""

from archgen.blocks import densenet, fusion, head, parnet, preact, repvgg, resnet, stem
from archgen.blocks.base import Block, Branch, Fusion, Layer

__all__ = [
    "Block",
    "Branch",
    "Fusion",
    "Layer",
    "densenet",
    "fusion",
    "head",
    "parnet",
    "preact",
    "repvgg",
    "resnet",
    "stem",
]
