"""The closed set of primitive operations that every network is lowered to.

An operation knows the shape that it gives, the law that its operands must keep, the
parameters that it owns, its multiply-accumulates (MACs), what autograd saves for it and its
source text in PyTorch. It knows no block and imports no torch. Shapes leave the batch out:
``(C, H, W)`` for a map, ``(C,)`` for a vector.

============ ======================================================================
Input        the network's input
Conv         square 2-d convolution, optionally grouped and dilated
Linear       matrix product of a vector
Norm         batch normalisation over a map (owns gamma and beta, running statistics)
GroupNorm    group normalisation over a map
Act          pointwise non-linearity
Pool         max or average pooling over square windows
Frame        pixels of -inf around a map that a max pool reads
DilatedPool  mean over dilated windows that read zeros past the edge
Mean         mean over all positions: (C, H, W) -> (C, 1, 1)
Flatten      a map as a vector: (C, 1, 1) -> (C,)
Dropout      dropout of single values
Add          sum of maps of one shape
Mul          product of a map with a map or with a (C, 1, 1) gate
Times        product with a constant
Weigh        product with one learned weight a channel (a bare parameter)
Cat          maps stacked along channels
Slice        a range of channels
Shuffle      channel shuffle over groups (interleaves the halves of a pair)
Pad          zero channels before and after
Subsample    every s-th row and column
============ ======================================================================
"""

from archgen.ops.base import (
    FLOAT,
    INDEX,
    MAX_DILATION,
    POINT,
    Law,
    Op,
    Param,
    Shape,
    Slot,
    Text,
    Window,
    size,
)
from archgen.ops.channels import Cat, Flatten, Pad, Shuffle, Slice
from archgen.ops.layers import Conv, GroupNorm, Linear, Norm, Weigh
from archgen.ops.points import Act, ActKind, Add, Dropout, Input, Mul, Times
from archgen.ops.windows import DilatedPool, Frame, Mean, Pool, Subsample

__all__ = [
    "FLOAT",
    "INDEX",
    "MAX_DILATION",
    "POINT",
    "Act",
    "ActKind",
    "Add",
    "Cat",
    "Conv",
    "DilatedPool",
    "Dropout",
    "Flatten",
    "Frame",
    "GroupNorm",
    "Input",
    "Law",
    "Linear",
    "Mean",
    "Mul",
    "Norm",
    "Op",
    "Pad",
    "Param",
    "Pool",
    "Shape",
    "Shuffle",
    "Slice",
    "Slot",
    "Subsample",
    "Text",
    "Times",
    "Weigh",
    "Window",
    "size",
]
