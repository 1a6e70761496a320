"""Compile generated source into classes and instantiate the network.

What runs is the text that `archgen.source` gives and ``archgen build --out`` writes. The
classes know the spec that they come from.
"""

from __future__ import annotations

import builtins
import copyreg
import json
import linecache
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from archgen.codegen import root_class, source
from archgen.errors import ArchError
from archgen.nn.features import describe
from archgen.nn.start import initialise
from archgen.spec import Net

_FILLS = frozenset(
    {
        nn.init.kaiming_uniform_,
        nn.init.uniform_,
        nn.init.ones_,
        nn.init.zeros_,
        torch.Tensor.uniform_,
        torch.Tensor.fill_,
        torch.Tensor.zero_,
    }
)


def build(net: Net, *, outputs: Sequence[str] | None = None, init: bool = True) -> nn.Module:
    """Build the network as an ordinary `nn.Module` in training mode.

    Its modules, ``state_dict`` keys and attributes carry the paths of the spec. It maps a
    tensor (N, C, H, W) to (N, classes), or to a tuple where the spec names several outputs.
    Where all that it returns are maps, ``model.feature_info`` describes them.

    Args:
        net: The spec.
        outputs: Nodes or stages whose maps it shall return, instead of what the spec says; what
            none of them needs is left out.
        init: Initialise as the spec says, from torch's global random numbers. Without it,
            convolution, linear and norm weights hold whatever the memory held: for loading
            weights into.

    Raises:
        ArchError: The spec cannot be lowered, or has no such outputs.
    """
    if isinstance(outputs, str):
        raise ArchError("outputs", f"this is a list of names: [{outputs!r}], not {outputs!r}")
    if outputs is not None:
        net = net.set({"outputs": list(outputs)})
    model = empty(compiled(source(net), net.name, json.dumps(net.data())))
    describe(model, net)
    if init:
        initialise(model, net)
    return model


def compiled(text: str, name: str, spec: str = "") -> type[nn.Module]:
    """Give the class of a network from generated source.

    Args:
        text: The source.
        name: The network's name.
        spec: As JSON, if the network is what a spec says.
    """
    cls: type[nn.Module] = _classes(text, name, spec)[root_class(name)]
    return cls


def empty(cls: type[nn.Module]) -> nn.Module:
    """Make a network of a class; its weights hold whatever the memory held."""
    with _NoFill():
        return cls()


def spec_of(model: nn.Module) -> Net:
    """Give the spec that a network was built from.

    Raises:
        ArchError: `build` did not make it.
    """
    cls = type(model)
    _, name, spec = getattr(cls, "_archgen", ("", "", ""))
    if cls.__name__ != root_class(name):
        what = f"a part of {name}" if name else f"a {cls.__name__}"
        raise ArchError("", f"this needs a network that archgen.build made, not {what}")
    if not spec:
        raise ArchError(name, "this is a deploy form already; give what it was made from")
    return Net.of(json.loads(spec))


class _NoFill(TorchFunctionMode):
    """Leave tensors as allocated while PyTorch's constructors would fill them."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in _FILLS:
            return kwargs["tensor"] if kwargs and "tensor" in kwargs else args[0]
        return func(*args, **(kwargs or {}))


class Generated(type):
    """The class of generated classes: they pickle as their source and spec."""

    _archgen: tuple[str, str, str]


@lru_cache(maxsize=64)
def _classes(text: str, name: str, spec: str) -> dict[str, Any]:
    """Execute source once for each spec; give its namespace."""
    digest = blake2b(text.encode(), digest_size=6).hexdigest()
    file = f"<archgen {name} {digest}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)

    def build_class(body: Any, class_name: str, *bases: Any, **kwargs: Any) -> Any:
        cls = builtins.__build_class__(body, class_name, *bases, metaclass=Generated, **kwargs)
        cls._archgen = (text, name, spec)
        return cls

    namespace: dict[str, Any] = {
        "__name__": f"archgen.generated.{name}",
        "__builtins__": {**vars(builtins), "__build_class__": build_class},
    }
    exec(compile(text, file, "exec"), namespace)  # noqa: S102 - only archgen writes this text
    return namespace


def _restore(text: str, name: str, spec: str, cls: str) -> Any:
    return _classes(text, name, spec)[cls]


def _reduce(cls: Generated) -> tuple[Any, ...]:
    return _restore, (*cls._archgen, cls.__name__)


copyreg.pickle(Generated, _reduce)
