"""Initialise a module's weights as its spec says."""

from __future__ import annotations

from math import prod, sqrt

import torch
from torch import nn

from archgen.ops import Conv, Linear, Op, Shape, Weigh
from archgen.spec import Init, Net


@torch.no_grad()
def initialise(model: nn.Module, net: Net) -> None:
    """Give every learned tensor its start, from torch's global random numbers.

    Convolutions and linear layers as ``init`` of the spec says, norms 1 and 0, shortcut
    weights as their operation says; running means 0 and variances 1.

    Args:
        model: What `build` made of `net`.
        net: The spec.
    """
    tensors = dict(model.named_parameters())
    for name, call, shape in net.graph().params():
        _start(tensors[name], call.op, name.rpartition(".")[2], shape, net.init)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()


def _start(tensor: torch.Tensor, op: Op, suffix: str, shape: Shape, init: Init) -> None:
    if isinstance(op, Weigh):
        tensor.fill_(op.start)
    elif not isinstance(op, Conv | Linear):
        tensor.fill_(1.0 if suffix == "weight" else 0.0)
    elif suffix == "bias":
        fan_in = op.inp // op.groups * op.kernel**2 if isinstance(op, Conv) else op.inp
        bound = 1 / sqrt(fan_in)
        zero = isinstance(op, Linear) and init.linear_bias == "zero"
        tensor.zero_() if zero else tensor.uniform_(-bound, bound)
    else:
        _weight(tensor, shape, init.conv if isinstance(op, Conv) else init.linear)


def _weight(tensor: torch.Tensor, shape: Shape, rule: str) -> None:
    fan_in, fan_out = prod(shape[1:]), shape[0] * prod(shape[2:])
    if rule == "he_fan_out":
        tensor.normal_(0, sqrt(2 / fan_out))
    elif rule == "he_fan_in":
        tensor.normal_(0, sqrt(2 / fan_in))
    elif rule == "normal":
        tensor.normal_(0, 0.01)
    else:
        tensor.uniform_(-1 / sqrt(fan_in), 1 / sqrt(fan_in))
