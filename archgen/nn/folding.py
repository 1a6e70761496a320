"""Give a trained network the form in which it runs fastest: norms and branches folded away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

_OF_TRAINING = {"training", "momentum", "track_running_stats", "p", "inplace"}
"""Attributes of modules that do nothing in evaluation."""


def deploy(model: nn.Module) -> nn.Module:
    """Fold batch norms and parallel branches into convolutions, in a new network.

    It is in evaluation mode and computes what the model computes in that mode, up to
    rounding (RepVGG, arXiv:2101.03697, section 3.3): kernels are folded in float64. Names,
    dtypes, devices and memory formats are the model's, which stays as it is. A kernel is frozen
    if all that it is made of is.
    `archgen.passes.fold.fold` says what folds.

    Args:
        model: What `build` made, its weights trained or loaded since.

    Raises:
        ArchError: Something else, a deploy form, or a network that was changed since: another
            module or number, or a hook on its way forward.
    """
    net = spec_of(model)
    tensors = model.state_dict()
    _refuse_changed(net, model, tensors)
    folded = deploy_form(net)
    deployed = folded_module(folded, tensors)
    _freeze(deployed, folded.kernels, model)
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


def _refuse_changed(net: Net, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """See that all which the outputs depend on, weights apart, is as it was built."""
    with torch.device("meta"):
        fresh = empty(type(model))
    wanted = {name: tensor.shape for name, tensor in fresh.state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items()}
    if other := sorted({name for name, _ in given.items() ^ wanted.items()}):
        raise _changed(net, f"{other[0]} is not what the spec says")
    theirs, built = (dict(each.named_modules(remove_duplicate=False)) for each in (model, fresh))
    if more := sorted(theirs.keys() ^ built.keys()):
        raise _changed(net, f"{more[0]} is not what the spec says")
    for path, module in built.items():
        _refuse_changed_module(net, path, theirs[path], module)
    if any(tensor.is_meta for tensor in tensors.values()):
        raise ArchError(net.name, "this is on the meta device and has no weights to fold")


def _refuse_changed_module(net: Net, path: str, module: nn.Module, fresh: nn.Module) -> None:
    what = path or "the network"
    # In evaluation the norm of several devices is that of one.
    kind = nn.BatchNorm2d if isinstance(module, nn.SyncBatchNorm) else type(module)
    if kind is not type(fresh):
        told = f"{what} is a {type(module).__name__}, not a {type(fresh).__name__}"
        raise _changed(net, told)
    if "forward" in vars(module):
        raise _changed(net, f"{what} has another forward")
    if module._forward_hooks or module._forward_pre_hooks:
        told = f"{what} has a forward hook, which a deploy form would lose; remove it before"
        raise ArchError(net.name, told)
    for name, value in vars(fresh).items():
        now = getattr(module, name, None)
        if not name.startswith("_") and name not in _OF_TRAINING and now != value:
            raise _changed(net, f"{path}.{name}".lstrip(".") + f" is {now}, not {value}")


def _changed(net: Net, what: str) -> ArchError:
    return ArchError(net.name, f"{what}; change the spec, not the built network")


def _learned(kernel: Kernel) -> Iterator[str]:
    """Give the names of the learned tensors in a recipe."""
    match kernel:
        case Own(path, op):
            yield from (f"{path}.{param.suffix}" for param in op.params())
        case Normed(before, path, op):
            yield from _learned(before)
            yield from (f"{path}.{param.suffix}" for param in op.params())
        case Averaged(before) | Placed(before):
            yield from _learned(before)
        case Sum(kernels):
            for each in kernels:
                yield from _learned(each)


def _freeze(deployed: nn.Module, kernels: Mapping[str, Kernel], model: nn.Module) -> None:
    """Freeze what is frozen in the model: a folded kernel, if all that it is made of is."""
    named = model.named_parameters(remove_duplicate=False)  # two names may share a tensor
    trained = {name: weight.requires_grad for name, weight in named}
    for name, weight in deployed.named_parameters():
        kernel = kernels.get(name.rpartition(".")[0])
        sources = _learned(kernel) if kernel else [name]
        weight.requires_grad_(any(trained[source] for source in sources))


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
