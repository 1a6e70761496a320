"""What PyramidNet's widening factor costs."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.analysis import cost, last_map
from archgen.spec import load
from archgen.view.library import Nets


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


def alpha_rows(nets: Nets = load) -> list[AlphaRow]:
    """Count PyramidNet-110 for some alphas, additive next to multiplicative.

    Args:
        nets: Gives shipped networks.

    Raises:
        ArchError: The spec of the library is damaged.
    """
    base = nets("pyramidnet110_a48")
    start = base.get("stages.width.start")
    rows = []
    for alpha in (24, 48, 84, 150, 270):
        ratio = 1 + alpha / start
        widths = {"kind": "multiplicative", "start": start, "alpha": ratio}
        added = base.set({"stages.width.alpha": alpha})
        multiplied = base.set({"stages.width": widths})
        features = last_map(added.graph())[0]
        rows.append(AlphaRow(alpha, ratio, features, cost(added).params, cost(multiplied).params))
    return rows
