"""What dense shortcuts cost in parameters and memory, between ResNet and DenseNet.

    python benchmarks/shortcuts.py

The networks of a replication of DSNet (https://github.com/tedchsk/image_nn, on CIFAR-100, n
units a stage), with its figures beside those that archgen computes. Needs no PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import archgen
from archgen.analysis import cost, saved_bytes
from archgen.graph import Call, Graph, check
from archgen.ops import Conv

BATCH = 128
CLASSES = 100
GB = 10**9


@dataclass(frozen=True)
class Row:
    """One network of the replication.

    Args:
        name: What it is called there.
        units: Units a stage (n).
        graph: The same network here.
        params: Parameters that they report.
        gigabytes: Memory that they report, batch 128: allocated before the backward pass.
    """

    name: str
    units: int
    graph: Graph
    params: int
    gigabytes: float


def rows() -> list[Row]:
    """Give their table's networks, each with what they report."""
    return [
        Row("ResNet", 3, resnet(3), 278_916, 0.19),
        Row("DSNet", 3, dsnet(3), 280_932, 0.29),
        Row("DenseNet", 3, densenet(3), 175_228, 1.05),
        Row("ResNet", 8, resnet(8), 766_116, 0.49),
        Row("DSNet", 8, dsnet(8), 778_212, 1.02),
        Row("DenseNet", 8, densenet(8), 771_228, 4.96),
    ]


def resnet(units: int) -> Graph:
    """ResNet with bare projections and biases."""
    return biased(changed("resnet20_cifar", [units] * 3, {"stages.shortcut": "projection"}))


def dsnet(units: int) -> Graph:
    """The same under dense shortcuts of group norms that tap the units' outputs."""
    shortcut = {"join": "dense", "norm": "group", "groups": 4, "taps": "block"}
    return biased(changed("dsnet20_cifar", [units] * 3, {"stages.shortcut": shortcut}))


def densenet(units: int) -> Graph:
    """DenseNet-BC with two layers for each unit: as many 3x3 convolutions as ResNet."""
    changes = {
        "stem.block": "conv_norm",
        "stem.width": 16,
        "stages.bottleneck": 2,
        "stages.shortcut": {"join": "concat", "grow": 16},
    }
    return changed("densenet100_k12_bc_cifar", [2 * units] * 3, changes)


def changed(spec: str, depth: list[int], changes: dict[str, Any]) -> Graph:
    """Give the graph of a shipped spec with another depth and some changes."""
    net = archgen.load(spec)
    return net.set({"stages.depth": depth, "head.classes": CLASSES, **changes}).graph()


def biased(graph: Graph) -> Graph:
    """Give every convolution a bias and no projection a norm, as theirs."""
    calls: list[Call] = []
    place: dict[int, int] = {}
    for index, call in enumerate(graph.calls):
        if call.name.endswith("shortcut.norm"):
            place[index] = place[call.inputs[0]]
            continue
        op = replace(call.op, bias=True) if isinstance(call.op, Conv) else call.op
        place[index] = len(calls)
        inputs = tuple(place[source] for source in call.inputs)
        calls.append(Call(call.name, op, inputs, call.shape))
    ends = tuple(place[end] for end in graph.outputs)
    made = Graph(graph.name, tuple(calls), ends, graph.labels)
    check(made)
    return made


def main() -> None:
    """Print the table."""
    print(
        f"batch {BATCH}, 32x32, {CLASSES} classes; GB are 10^9 bytes; over: memory over ResNet's\n"
    )
    print(f"n  {'network':8} {'params':>8} {'theirs':>8}  {'GB':>6} {'theirs':>7}  over  theirs")
    for row in rows():
        saved = saved_bytes(row.graph, BATCH) / GB
        if row.name == "ResNet":
            least, their_least = saved, row.gigabytes
        print(
            f"{row.units}  {row.name:8} {cost(row.graph).params:>8,} {row.params:>8,}  "
            f"{saved:>6.3f} {row.gigabytes:>7.2f} {saved / least:>5.1f} "
            f"{row.gigabytes / their_least:>7.1f}"
        )


if __name__ == "__main__":
    main()
