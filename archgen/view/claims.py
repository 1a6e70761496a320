"""What the papers claim of their networks that a graph can tell, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from math import prod
from typing import NamedTuple

from archgen import files
from archgen.analysis import cost, last_map, saved_bytes
from archgen.graph import Graph
from archgen.ops import Act, Conv, Flatten, Input, Linear, Mean, Norm
from archgen.passes.fold import fold
from archgen.spec import Figure, Net, load
from archgen.view.library import Nets, matching


@dataclass(frozen=True)
class ClaimRow:
    """A claim and what archgen finds.

    Args:
        family: Whose claim it is, as `PaperRow` calls it.
        claim: What is claimed.
        says: What the sources say: a figure, a formula, a relation.
        computed: What archgen computes.
        holds: Whether the one is the other, within rounding.
        reason: Why not, if it does not hold.
    """

    family: str
    claim: str
    says: str
    computed: str
    holds: bool
    reason: str


class Found(NamedTuple):
    """What archgen computes, and whether it is what the sources say."""

    computed: str
    holds: bool


class Claim(NamedTuple):
    """A claim, what the sources say, what checks it, and why it may fail."""

    family: str
    text: str
    says: str
    find: Callable[[Nets], Found]
    reason: str = ""


def claim_rows(family: str = "", nets: Nets = load) -> list[ClaimRow]:
    """Check the claims about one family, or all of them.

    Args:
        family: As `PaperRow` calls it.
        nets: Gives shipped networks; one that keeps them saves time.

    Raises:
        ArchError: A spec of the library is damaged.
    """
    return [_row(claim, nets) for claim in CLAIMS if family in ("", claim.family)]


def _row(claim: Claim, nets: Nets) -> ClaimRow:
    computed, holds = claim.find(nets)
    reason = "" if holds else claim.reason
    return ClaimRow(claim.family, claim.text, claim.says, computed, holds, reason)


def _params(net: Net) -> int:
    return cost(net).params


def _macs(net: Net) -> int:
    return cost(net).macs


def _family(family: str, nets: Nets) -> list[Net]:
    """Give the networks whose names begin so."""
    return [nets(name) for name in matching(files.names("specs"), f"{family}*")]


def _parnet_depths(nets: Nets) -> Found:
    depths = {cost(nets(f"parnet_{size}")).depth for size in ("s", "m", "l", "xl")}
    return Found(", ".join(map(str, sorted(depths))), depths == {12})


def _saving(ours: str, theirs: str, count: Callable[[Net], int], says: str, nets: Nets) -> Found:
    """Say by how much one network has less than another."""
    percent = 100 * (1 - Decimal(count(nets(ours))) / count(nets(theirs)))
    return Found(Figure(says).write(percent), Figure(says).agrees(percent))


def _deployed(net: Net) -> Graph:
    return fold(net.graph()).graph


def _parnet_params(nets: Nets) -> Found:
    small, resnet = cost(_deployed(nets("parnet_s"))).params, _params(nets("resnet34"))
    ours, theirs = Figure("19 M"), Figure("22 M")
    computed = f"{ours.write(small)} against {theirs.write(resnet)}"
    return Found(computed, ours.agrees(small) and theirs.agrees(resnet))


def _plain_repvgg(nets: Nets) -> Found:
    """See whether all that is left of RepVGG is 3x3 convolutions, relu and the classifier."""

    def plain(net: Net) -> bool:
        ops = [call.op for call in _deployed(net).calls]
        body = [op for op in ops if not isinstance(op, Input | Mean | Flatten | Linear)]
        return all((isinstance(op, Conv) and op.kernel == 3) or op == Act("relu") for op in body)

    networks = _family("repvgg", nets)
    right = sum(map(plain, networks))
    return Found(f"{right} of {len(networks)} networks", right == len(networks))


def _dilated_resolution(nets: Nets) -> Found:
    drns = [net for net in _family("drn", nets) if net.input == (3, 224, 224)]
    sides = {last_map(net.graph())[1] for net in drns}
    plain = last_map(nets("resnet50").graph())[1]
    return Found(f"{', '.join(map(str, sorted(sides)))} instead of {plain}", sides == {4 * plain})


def _dilated_params(nets: Nets) -> Found:
    pairs = [(nets(f"drn_a_{depth}"), nets(f"resnet{depth}")) for depth in (18, 34, 50)]
    equal = [_params(drn) == _params(resnet) for drn, resnet in pairs]
    return Found("equal" if all(equal) else "not equal", all(equal))


def _dilated_macs(nets: Nets) -> Found:
    ratio = _macs(nets("drn_a_50")) / _macs(nets("resnet50"))
    return Found(f"{ratio:.2f} times", ratio > 1)


def _shortcut_params(affine: bool, nets: Nets) -> Found:
    """Count what DSNet-50's shortcuts own: the weights, or the norms' affine parameters."""
    resnet = nets("resnet50").graph()
    plain = {key for key, *_ in resnet.params()}
    own = 0
    for key, call, shape in nets("dsnet50").graph().params():
        if key not in plain and isinstance(call.op, Norm) == affine:
            own += prod(shape)
    stages = zip((3, 4, 6, 3), (256, 512, 1024, 2048), strict=True)
    wanted = sum(n * (n + 1) // 2 * width for n, width in stages) * (1 + affine)
    return Found(f"{own:,} ({own / cost(resnet).params:.2%})", own == wanted)


def _shortcut_macs(nets: Nets) -> Found:
    more = _macs(nets("dsnet50")) - _macs(nets("resnet50"))
    return Found(f"{more:,}", more == 0)


def _more_memory(nets: Nets) -> Found:
    ours, theirs = saved_bytes(nets("dsnet50")), saved_bytes(nets("resnet50"))
    return Found(f"{ours / 2**20:.0f} against {theirs / 2**20:.0f} MB", ours > theirs)


def _less_memory(nets: Nets) -> Found:
    """Say which DenseNets for ImageNet need no more than DSNet-50."""
    ours = saved_bytes(nets("dsnet50"))
    less = [size for size in _DENSENETS if saved_bytes(nets(f"densenet{size}")) <= ours]
    return Found(f"not than {', '.join(less)}" if less else "than all", not less)


def _padded_shortcuts(nets: Nets) -> Found:
    """Count what goes with the shortcuts of a PyramidNet and of a ResNet for CIFAR."""
    more = 0
    for name in ("pyramidnet110_a48", "pyramidnet164_a48", "resnet110_cifar"):
        net = nets(name)
        more += _params(net) - _params(net.set({"stages.shortcut": "none"}))
    return Found(f"{more:,}", more == 0)


_DENSENETS = ("121", "169", "201", "161", "264")
_MEMORY = (
    "The paper means a GPU's memory under MXNet, which shares it; computed is what PyTorch's "
    "autograd saves for the backward pass of one image, in float32."
)
_ROUNDED = "Rounded before they are compared, to 6.5 G and 8.0 G, the MACs are 18.75 % fewer."
_WHICH_DENSENET = (
    "The abstract names no DenseNet. DSNet-50 keeps 156 MB; DenseNet-121 and 169 keep 125 and 151, "
    "but 201, 161 and 264 keep 194, 232 and 266. Nearest to DSNet-50 are 161 in parameters and 201 "
    "in MACs."
)
_98, _92 = ("dpn98", "resnext101_64x4d"), ("dpn92", "resnext101_32x4d")

CLAIMS = (
    Claim("dpn", "DPN-98: fewer parameters than ResNeXt-101 64x4d", "26 %",
          partial(_saving, *_98, _params, "26 %")),
    Claim("dpn", "DPN-98: fewer MACs than ResNeXt-101 64x4d", "25 %",
          partial(_saving, *_98, _macs, "25 %")),
    Claim("dpn", "DPN-98: less training memory than ResNeXt-101 64x4d", "8 %",
          partial(_saving, *_98, saved_bytes, "8 %"), _MEMORY),
    Claim("dpn", "DPN-92: fewer parameters than ResNeXt-101 32x4d", "15 %",
          partial(_saving, *_92, _params, "15 %")),
    Claim("dpn", "DPN-92: fewer MACs than ResNeXt-101 32x4d", "19 %",
          partial(_saving, *_92, _macs, "19 %"), _ROUNDED),
    Claim("drn", "DRN: side of the last map, 224x224 images", "28 instead of 7",
          _dilated_resolution),
    Claim("drn", "DRN-A-18, 34, 50: parameters and ResNet's", "equal", _dilated_params),
    Claim("drn", "DRN-A-50: MACs and ResNet-50's", "more", _dilated_macs),
    Claim("dsnet", "DSNet-50: shortcut weights, n units of width C a stage", "n (n + 1) / 2 C",
          partial(_shortcut_params, False)),
    Claim("dsnet", "DSNet-50: parameters of the shortcuts' norms", "twice as many",
          partial(_shortcut_params, True)),
    Claim("dsnet", "DSNet-50: MACs that the shortcuts add", "0", _shortcut_macs),
    Claim("dsnet", "DSNet-50: more training memory than ResNet-50", "more", _more_memory),
    Claim("dsnet", "DSNet-50: less training memory than DenseNet", "less", _less_memory,
          _WHICH_DENSENET),
    Claim("pyramidnet", "zero-padded shortcuts, here and in ResNet: parameters", "0",
          _padded_shortcuts),
    Claim("parnet", "ParNet-S, M, L, XL: depth", "12", _parnet_depths),
    Claim("parnet", "ParNet-S deployed and ResNet-34: parameters", "19 M against 22 M",
          _parnet_params),
    Claim("repvgg", "RepVGG deployed: nothing but 3x3 convolutions and ReLU", "all", _plain_repvgg),
)  # fmt: skip
"""What can be checked without training; accuracies and speeds cannot."""
