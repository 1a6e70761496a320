"""Give a trained network the form in which it runs fastest: norms and branches folded away."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import reduce

import torch
from torch import Tensor, nn

from archgen.codegen import source
from archgen.errors import ArchError
from archgen.nn.features import describe
from archgen.nn.module import compiled, empty, spec_of
from archgen.ops import Conv
from archgen.passes.fold import Averaged, Folded, Kernel, Normed, Own, Placed, Sum, Unit, fold
from archgen.spec import Net


def deploy(model: nn.Module) -> nn.Module:
    """Fold batch norms and parallel branches into convolutions, in a new network.

    It is in evaluation mode and computes what the model computes in that mode, up to
    rounding (RepVGG, arXiv:2101.03697, section 3.3): kernels are folded in float64. Names,
    dtypes, devices and memory formats are the model's, which stays as it is.
    `archgen.passes.fold.fold` says what folds.

    Args:
        model: What `build` made, its weights trained or loaded since.

    Raises:
        ArchError: Something else, a deploy form, or a network that was changed since.
    """
    net = spec_of(model)
    tensors = model.state_dict()
    _refuse_changed(net, type(model), tensors)
    deployed = folded_module(deploy_form(net), tensors)
    describe(deployed, net)
    return deployed


def folded_module(folded: Folded, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Make the network of a folded graph, in evaluation mode, with copies of its weights.

    Args:
        folded: The graph and its recipe.
        tensors: The ``state_dict`` of the network that was folded.
    """
    with torch.device("meta"):
        module = _module(folded)
    weights = _weights(folded.kernels, tensors)
    module.load_state_dict({name: weights[name] for name in module.state_dict()}, assign=True)
    return module.eval()


def empty_deployed(net: Net) -> nn.Module:
    """Make the deploy form of a network, for loading weights into: it holds what memory held."""
    return _module(deploy_form(net))


def deploy_form(net: Net) -> Folded:
    """Fold a network's graph and call it ``NAME_deploy``."""
    folded = fold(net.graph())
    return folded._replace(graph=replace(folded.graph, name=f"{net.name}_deploy"))


@torch.no_grad()
def difference(model: nn.Module) -> float:
    """Compare a network with its deploy form on a random image, both in float64.

    Norms get random numbers before, in a copy: those of a fresh network do nothing.

    Args:
        model: What `build` made.

    Returns:
        The largest difference of an output, relative to the output's largest entry.
    """
    exact = deepcopy(model).to("cpu", torch.float64).eval()
    for norm in exact.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (*norm.parameters(), *norm.buffers()):
                tensor.copy_(torch.rand(tensor.shape) + 0.5)
    image = torch.randn(1, *spec_of(model).input, dtype=torch.float64)
    outputs = [exact(image), deploy(exact)(image)]
    training, deployed = [y if isinstance(y, tuple) else (y,) for y in outputs]
    tiny = torch.finfo(torch.float64).tiny
    return max(
        float((there - here).abs().max() / here.abs().max().clamp(min=tiny))
        for here, there in zip(training, deployed, strict=True)
    )


def _module(folded: Folded) -> nn.Module:
    return empty(compiled(source(folded.graph), folded.graph.name))


def _refuse_changed(net: Net, cls: type[nn.Module], tensors: Mapping[str, Tensor]) -> None:
    with torch.device("meta"):
        wanted = {name: tensor.shape for name, tensor in empty(cls).state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items()}
    if other := sorted({name for name, _ in given.items() ^ wanted.items()}):
        message = f"{other[0]} is not what the spec says; change the spec, not the built network"
        raise ArchError(net.name, message)
    if any(tensor.is_meta for tensor in tensors.values()):
        raise ArchError(net.name, "this is on the meta device and has no weights to fold")


def _weights(kernels: Mapping[str, Kernel], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a copy of every tensor; those of folded convolutions as the recipe says."""
    weights = {name: tensor.clone() for name, tensor in tensors.items()}
    for path, kernel in kernels.items():
        own = tensors[f"{path}.weight"]
        weight, bias = _folded(kernel, tensors)
        weights[f"{path}.weight"] = torch.empty_like(own).copy_(weight)
        weights[f"{path}.bias"] = bias.to(own)
    return weights


def _folded(kernel: Kernel, tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Evaluate a recipe: weight (out, inp / groups, kernel, kernel) and bias (out)."""

    def exact(name: str) -> Tensor:
        return tensors[name].to("cpu", torch.float64)

    match kernel:
        case Own(path, op):
            weight = exact(f"{path}.weight")
            return weight, exact(f"{path}.bias") if op.bias else weight.new_zeros(op.out)
        case Unit(channels):
            weight = torch.ones(channels, 1, 1, 1, dtype=torch.float64)
            return weight, weight.new_zeros(channels)
        case Normed(before, path, op):
            weight, bias = _folded(before, tensors)
            factor = (exact(f"{path}.running_var") + op.eps).rsqrt()
            factor = factor * exact(f"{path}.weight") if op.affine else factor
            bias = (bias - exact(f"{path}.running_mean")) * factor
            bias = bias + exact(f"{path}.bias") if op.affine else bias
            return weight * factor[:, None, None, None], bias
        case Averaged(before, size):
            weight, bias = _folded(before, tensors)
            return weight.expand(-1, -1, size, size) / size**2, bias
        case Placed(before, into, at):
            weight, bias = _folded(before, tensors)
            return _placed(weight, into, torch.tensor(at)), bias
        case Sum(kernels):
            weights, biases = zip(*(_folded(each, tensors) for each in kernels), strict=True)
            return reduce(torch.add, weights), reduce(torch.add, biases)


def _placed(weight: Tensor, into: Conv, at: Tensor) -> Tensor:
    """Put a kernel among the zeros of a larger one that may have fewer, wider groups."""
    out, narrow, *_ = weight.shape
    wide = into.inp // into.groups
    larger = weight.new_zeros(out, wide, into.kernel, into.kernel)
    if narrow == wide:
        larger[..., at[:, None], at] = weight
        return larger
    channel = torch.arange(out)[:, None]
    # Where the inputs of a channel's narrow group begin among those of the wide group.
    first = channel * into.inp // (out * narrow) * narrow % wide
    inputs = first + torch.arange(narrow)
    larger[channel[..., None, None], inputs[..., None, None], at[:, None], at] = weight
    return larger
