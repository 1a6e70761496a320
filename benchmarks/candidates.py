"""Random networks of many families that cost about the same MACs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from archgen import ArchError, Net, cost

Nodes: TypeAlias = dict[str, dict[str, Any]]
WITHIN = 0.2
"""How far a network's MACs may be from what is asked for, as a part of it."""
HEAD = {"block": "pool_linear", "classes": 100}


def candidates(count: int, macs: float, seed: int = 0) -> list[Net]:
    """Draw networks within 20 % of so many MACs, family after family in turn.

    Args:
        count: How many.
        macs: Multiply-accumulates for one image.
        seed: Decides all that is drawn.
    """
    random, found = Random(seed), []
    for index in range(count):
        family = FAMILIES[index % len(FAMILIES)]
        found.append(_near(f"{family.__name__}_{index}", family, macs, random))
    return found


def _near(name: str, family: Callable[[Random], Nodes], macs: float, random: Random) -> Net:
    """Draw from a family until the MACs are near; what a block refuses is drawn again."""
    while True:
        side = random.choice([48, 64, 80, 96])
        try:
            net = Net.of({"name": name, "input": [3, side, side], "nodes": family(random)})
            if abs(cost(net).macs / macs - 1) <= WITHIN:
                return net
        except ArchError:
            continue


def resnet(random: Random) -> Nodes:
    """Basic units, some squeezed and excited."""
    return {
        "stem": _stem(random),
        "stages": {
            "block": random.choice(["basic", "basic_preact"]),
            "depth": [random.randint(1, 4) for _ in range(4)],
            "width": _doubling(random, 12, 80),
            "stride": [1, 2, 2, 2],
            "shortcut": {"join": "add"},
            "se": random.choice([None, None, 4]),
        },
        "head": _head(random),
    }


def resnext(random: Random) -> Nodes:
    """Bottlenecks in groups of the 3x3 convolution, down to one channel each."""
    groups, each = random.choice([1, 2, 4, 8, 16, 32]), random.choice([1, 2, 4, 8, 12, 16, 24])
    return {
        "stem": _stem(random),
        "stages": {
            "block": random.choice(["bottleneck", "bottleneck_preact"]),
            "depth": [random.randint(1, 5) for _ in range(4)],
            "groups": groups,
            "group_width": {"kind": "geometric", "start": each, "ratio": 2},
            "out": {"kind": "geometric", "start": random.randint(16, 64) * 4, "ratio": 2},
            "stride": [1, 2, 2, 2],
            "shortcut": {"join": "add"},
        },
        "head": _head(random),
    }


def mobile(random: Random) -> Nodes:
    """Inverted bottlenecks: the 3x3 convolution is depthwise."""
    widths = [random.randint(32, 160) * 2**stage for stage in range(3)]
    return {
        "stem": _stem(random),
        "stages": {
            "block": "bottleneck",
            "depth": [random.randint(2, 7) for _ in range(3)],
            "groups": widths,
            "group_width": 1,
            "out": [max(8, width // random.choice([2, 3, 4])) for width in widths],
            "stride": [1, 2, 2],
            "shortcut": {"join": "add"},
        },
        "head": _head(random),
    }


def pyramidnet(random: Random) -> Nodes:
    """Widths that grow by a little in every unit."""
    return {
        "stem": {"block": "conv_norm", "width": 16, "stride": random.choice([1, 2]), "act": "none"},
        "stages": {
            "block": random.choice(["basic_pyramid", "bottleneck_pyramid"]),
            "depth": [random.randint(2, 9) for _ in range(3)],
            "width": {"kind": "additive", "start": 16, "alpha": random.randint(16, 240)},
            "stride": [1, 2, 2],
            "shortcut": {"join": "add", "down": "avg_pool", "widen": "zeros"},
        },
        "head": {**HEAD, "block": "norm_pool_linear"},
    }


def dpn(random: Random) -> Nodes:
    """Residual and dense paths side by side."""
    grow = random.choice([8, 16, 24, 32])
    return {
        "stem": _stem(random),
        "stages": {
            "block": "bottleneck_preact",
            "depth": [random.randint(1, 6) for _ in range(4)],
            "groups": random.choice([1, 4, 16, 32]),
            "group_width": {"kind": "geometric", "start": random.choice([2, 4, 6]), "ratio": 2},
            "out": {"kind": "geometric", "start": random.randint(16, 64) * 2, "ratio": 2},
            "stride": [1, 2, 2, 2],
            "shortcut": {"join": "dual", "grow": [grow, 2 * grow, 2 * grow, 4 * grow]},
        },
        "head": {**HEAD, "block": "norm_pool_linear"},
    }


def densenet(random: Random) -> Nodes:
    """Every unit reads all before it."""
    return {
        "stem": _stem(random),
        "stages": {
            "block": random.choice(["dense_bottleneck", "dense_layer"]),
            "depth": [random.randint(4, 14) for _ in range(3)],
            "shortcut": {"join": "concat", "grow": random.randint(8, 40)},
            "between": {"block": "transition", "theta": 0.5},
        },
        "head": {**HEAD, "block": "norm_pool_linear"},
    }


def drn(random: Random) -> Nodes:
    """Dilation in the place of strides."""
    return {
        "stem": {"block": "conv_norm", "width": 16, "kernel": 7, "stride": random.choice([1, 2])},
        "stages": {
            "block": random.choice(["basic", "bottleneck"]),
            "depth": [random.randint(1, 4) for _ in range(4)],
            "width": _doubling(random, 8, 48),
            "stride": [2, 2, 1, 1],
            "dilation": [1, 1, 2, 4],
            "shortcut": {"join": "add"},
        },
        "head": _head(random),
    }


def dsnet(random: Random) -> Nodes:
    """Dense shortcuts: each unit adds what all before it gave, weighed and normalised."""
    return {
        "stem": _stem(random),
        "stages": {
            "block": random.choice(["basic", "bottleneck"]),
            "depth": [random.randint(2, 5) for _ in range(3)],
            "width": _doubling(random, 12, 64),
            "stride": [1, 2, 2],
            "shortcut": {"join": "dense", "norm": random.choice(["batch", "group"]), "groups": 4},
        },
        "head": _head(random),
    }


def repvgg(random: Random) -> Nodes:
    """Three branches to each 3x3 convolution, as they are trained."""
    return {
        "stem": {"block": "repvgg", "width": 24, "stride": 2},
        "stages": {
            "block": "repvgg",
            "depth": [random.randint(1, 6) for _ in range(3)],
            "width": _doubling(random, 16, 96),
            "stride": [random.choice([1, 2]), 2, 2],
        },
        "head": HEAD,
    }


def parnet(random: Random) -> Nodes:
    """Streams side by side, fused."""
    width = random.randint(12, 64)
    widths = [width, 2 * width, 4 * width]
    return {
        "stem": {"block": "repvgg_sse", "width": 24, "stride": random.choice([1, 2])},
        **{
            f"at{i}": {"block": "repvgg_sse", "width": each, "stride": 2}
            for i, each in enumerate(widths)
        },
        "body": {
            "streams": 3,
            "from": ["at0", "at1", "at2"],
            "block": "repvgg_sse",
            "depth": [random.randint(1, 5) for _ in range(3)],
            "width": widths,
            "down": {"block": "repvgg_sse"},
            "fuse": {"block": "parnet_fuse"},
        },
        "head": HEAD,
    }


def _stem(random: Random) -> dict[str, Any]:
    width = random.randint(8, 64)
    return random.choice(
        [
            {"block": "conv_norm", "width": width, "stride": 2},
            {"block": "conv_norm", "width": width, "kernel": 5, "stride": 2},
            {"block": "conv_pool", "width": width},
        ]
    )


def _head(random: Random) -> dict[str, Any]:
    return {**HEAD, "block": random.choice(["pool_linear", "norm_pool_linear"])}


def _doubling(random: Random, low: int, high: int) -> dict[str, Any]:
    return {"kind": "geometric", "start": random.randint(low, high), "ratio": 2}


FAMILIES = (resnet, resnext, mobile, pyramidnet, dpn, densenet, drn, dsnet, repvgg, parnet)
