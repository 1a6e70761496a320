"""What the papers claim of their networks that a graph can tell, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from archgen import files
from archgen.analysis import cost, last_map, saved_bytes
from archgen.ops import Conv, GroupNorm, Norm
from archgen.spec import Figure, Net, load
from archgen.view.library import matching


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


@dataclass(frozen=True)
class AlphaRow:
    """A PyramidNet-110 (basic units, CIFAR-10) that is widened in two ways to one last width.

    Args:
        alpha: Of the additive widening.
        ratio: Alpha of the multiplicative widening.
        features: Channels of the last map.
        additive: Parameters of the additive network.
        multiplicative: Parameters of the multiplicative network.
    """

    alpha: int
    ratio: float
    features: int
    additive: int
    multiplicative: int


class Found(NamedTuple):
    """What archgen computes, and whether it is what the sources say."""

    computed: str
    holds: bool


class Claim(NamedTuple):
    """A claim, what the sources say, what checks it, and why it may fail."""

    family: str
    text: str
    says: str
    find: Callable[[], Found]
    reason: str = ""


def claim_rows(family: str = "") -> list[ClaimRow]:
    """Check the claims about one family, or all of them.

    Raises:
        ArchError: A spec of the library is damaged.
    """
    return [_row(claim) for claim in CLAIMS if family in ("", claim.family)]


def alpha_rows() -> list[AlphaRow]:
    """Count PyramidNet-110 for some alphas, additive next to multiplicative.

    Raises:
        ArchError: The spec of the library is damaged.
    """
    base = load("pyramidnet110_a48")
    start = base.get("stages.width.start")
    rows = []
    for alpha in (24, 48, 84, 150, 270):
        ratio = 1 + alpha / start
        widths = {"kind": "multiplicative", "start": start, "alpha": ratio}
        added = base.set({"stages.width.alpha": alpha})
        multiplied = base.set({"stages.width": widths})
        features = last_map(added.graph())[0]
        rows.append(AlphaRow(alpha, ratio, features, _params(added), _params(multiplied)))
    return rows


def _row(claim: Claim) -> ClaimRow:
    computed, holds = claim.find()
    reason = "" if holds else claim.reason
    return ClaimRow(claim.family, claim.text, claim.says, computed, holds, reason)


def _params(net: Net) -> int:
    return cost(net).params


def _macs(net: Net) -> int:
    return cost(net).macs


def _family(family: str) -> list[Net]:
    """Load the networks whose names begin so."""
    return [load(name) for name in matching(files.names("specs"), f"{family}*")]


# --- depth ---------------------------------------------------------------------------------


def _layers(block: str) -> int:
    """Convolutions and linear layers that follow each other in a block of a family below."""
    if block.startswith("basic"):
        return 2
    if block.startswith("bottleneck"):
        return 3
    return 2 if block == "dense_bottleneck" else 1


def _formula(net: Net) -> int:
    """Count layers from the spec's table: those of each unit, and of each transition."""
    layers = 0
    for node in net.nodes.values():
        depths = node.depth if isinstance(node.depth, list) else [node.depth or 1]
        layers += sum(depths) * _layers(node.block)
        if node.between is not None:
            layers += (len(depths) - 1) * _layers(node.between.block)
    return layers


def _depths(family: str) -> Found:
    nets = _family(family)
    right = [net for net in nets if cost(net).depth == _formula(net)]
    return Found(f"{len(right)} of {len(nets)} networks", len(right) == len(nets))


def _wide_depths() -> Found:
    nets = _family("wrn")
    right = []
    for net in nets:
        convolutions = sum(isinstance(call.op, Conv) for call in net.graph().calls)
        if convolutions == 6 * net.get("stages.depth.0") + 4:
            right.append(net)
    return Found(f"{len(right)} of {len(nets)} networks", len(right) == len(nets))


def _parnet_depths() -> Found:
    depths = {cost(load(f"parnet_{size}")).depth for size in ("s", "m", "l", "xl")}
    return Found(", ".join(map(str, sorted(depths))), depths == {12})


# --- parameters, MACs, memory, resolution --------------------------------------------------


def _saving(ours: str, theirs: str, count: Callable[[Net], int], says: str) -> Found:
    """Say by how much one network has less than another."""
    percent = 100 * (1 - Decimal(count(load(ours))) / count(load(theirs)))
    return Found(Figure(says).write(percent), Figure(says).agrees(percent))


def _dilated_params() -> Found:
    pairs = [(load(f"drn_a_{depth}"), load(f"resnet{depth}")) for depth in (18, 34, 50)]
    more = sum(_params(drn) - _params(resnet) for drn, resnet in pairs)
    return Found(f"{more:+,}" if more else "the same", more == 0)


def _dilated_resolution() -> Found:
    sides = {last_map(net.graph())[1] for net in _family("drn_[abcd]_??*") if net.input[1] == 224}
    plain = last_map(load("resnet50").graph())[1]
    return Found(f"{', '.join(map(str, sorted(sides)))} instead of {plain}", sides == {4 * plain})


def _dilated_macs() -> Found:
    ratio = _macs(load("drn_a_50")) / _macs(load("resnet50"))
    return Found(f"{ratio:.2f} times", ratio > 1)


def _shortcut_weights(affine: bool) -> Found:
    """Count what DSNet-50's shortcuts own: the weights, or the norms' affine parameters."""
    plain = {key for key, *_ in load("resnet50").graph().params()}
    own = 0
    for key, call, shape in load("dsnet50").graph().params():
        if key not in plain and isinstance(call.op, Norm | GroupNorm) == affine:
            own += shape[0]
    stages = zip((3, 4, 6, 3), (256, 512, 1024, 2048), strict=True)
    wanted = sum(n * (n + 1) // 2 * width for n, width in stages) * (1 + affine)
    share = own / _params(load("resnet50"))
    return Found(f"{own:,} ({share:.2%})", own == wanted)


def _shortcut_macs() -> Found:
    more = _macs(load("dsnet50")) - _macs(load("resnet50"))
    return Found(f"{more:,}", more == 0)


def _shortcut_memory() -> Found:
    resnet, dsnet, densenet = (
        saved_bytes(load(name)) / 2**20 for name in ("resnet50", "dsnet50", "densenet161")
    )
    computed = f"{resnet:.0f} < {dsnet:.0f} < {densenet:.0f} MB"
    return Found(computed, resnet < dsnet < densenet)


def _padded_shortcuts() -> Found:
    nets = _family("pyramidnet") + _family("resnet*_cifar")
    calls = [call for net in nets for call in net.graph().calls]
    own = sum(call.op.param_count for call in calls if "shortcut" in call.name.split("."))
    return Found(f"{own:,} in {len(nets)} networks", own == 0)


_MEMORY = (
    "The paper means a GPU's memory under MXNet, which shares it; computed is what PyTorch's "
    "autograd saves for the backward pass of one image, in float32."
)
_ROUNDED = "From MACs that are rounded first (6.5 G, 8.0 G), as the paper's tables have them: 18.75 %."
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
    Claim("drn", "DRN-A-18, 34, 50: parameters of ResNet's", "the same", _dilated_params),
    Claim("drn", "DRN-A-50: MACs of ResNet-50's", "more", _dilated_macs),
    Claim("dsnet", "DSNet-50: weights of its shortcuts", "40,448", partial(_shortcut_weights, False)),
    Claim("dsnet", "DSNet-50: parameters of its shortcuts' norms", "80,896",
          partial(_shortcut_weights, True)),
    Claim("dsnet", "DSNet-50: MACs more than ResNet-50", "0", _shortcut_macs),
    Claim("dsnet", "DSNet-50: memory between ResNet-50 and DenseNet-161", "between",
          _shortcut_memory),
    Claim("pyramidnet", "zero-padded shortcuts: parameters (here and in ResNet)", "0",
          _padded_shortcuts),
    Claim("parnet", "ParNet-S, M, L, XL: depth", "12", _parnet_depths),
    Claim("resnet", "depth with N units", "2 + 2 N or 3 N", partial(_depths, "resnet")),
    Claim("preresnet", "depth with N units", "2 + 2 N or 3 N", partial(_depths, "preresnet")),
    Claim("wrn", "convolutions with n units a stage", "6 n + 4", _wide_depths),
    Claim("resnext", "depth with N units", "2 + 3 N", partial(_depths, "resnext")),
    Claim("pyramidnet", "depth with N units", "2 + 2 N or 3 N", partial(_depths, "pyramidnet")),
    Claim("densenet", "depth with N layers, T transitions", "2 + N or 2 N + T",
          partial(_depths, "densenet")),
    Claim("dpn", "depth with N units", "2 + 3 N", partial(_depths, "dpn")),
    Claim("drn", "depth, all levels counted", "their sum", partial(_depths, "drn")),
    Claim("dsnet", "depth with N units", "2 + 2 N or 3 N", partial(_depths, "ds")),
)  # fmt: skip
"""What can be checked without training; accuracies and speeds cannot."""
