"""The papers' comparisons: which networks, what is claimed of them, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archgen.analysis import cost
from archgen.explorer.shown import Shown
from archgen.inverse import nearest
from archgen.view import ClaimRow, claim_rows


@dataclass(frozen=True)
class Preset:
    """A comparison that a paper makes.

    Args:
        title: The networks in words.
        names: Their specs, the one that the others are held against first.
        claim: What the paper claims, in one sentence, and its number.
        family: Whose claims `claim_rows` checks.
        about: How those of them begin that are about these networks; "" for all.
        by: A number of the last one's spec, which is solved for: it gets the first's parameters.
    """

    title: str
    names: tuple[str, ...]
    claim: str
    family: str
    about: str = ""
    by: str = ""

    def words(self) -> list[str]:
        """Give the networks as words of an address.

        Raises:
            ArchError: A spec of the library is damaged.
        """
        shown = [Shown(name) for name in self.names]
        if self.by:
            target = cost(shown[0].net()).params
            found = nearest(shown[-1].net(), "params", target, [self.by])
            shown[-1] = replace(shown[-1], changes=found.best.values)
        return [each.word() for each in shown]

    def claims(self) -> list[ClaimRow]:
        """Check what can be checked of it without training.

        Raises:
            ArchError: A spec of the library is damaged.
        """
        return [row for row in claim_rows(self.family) if row.claim.startswith(self.about)]


PRESETS = (
    Preset(
        "DPN-98 and ResNeXt-101",
        ("resnext101_64x4d", "dpn98"),
        "A DPN-98 beats the best ResNeXt-101 (64x4d) with a model 26 % smaller, 25 % less "
        "computation and 8 % less memory (arXiv:1707.01629, abstract).",
        "dpn",
        about="DPN-98",
    ),
    Preset(
        "PyramidNet and ResNet",
        ("resnet110_cifar", "pyramidnet110_a48"),
        "With the same 1.7 M parameters, widths that grow in every unit err on 4.62 % of CIFAR-10 "
        "and those of a ResNet on 6.43 % (arXiv:1610.02915).",
        "pyramidnet",
        by="stages.width.alpha",
    ),
    Preset(
        "ParNet-S and ResNet-34",
        ("resnet34", "parnet_s"),
        "Twelve layers in parallel streams beat thirty-four in a row, with 19 M parameters, once "
        "deployed, against 22 M (arXiv:2110.07641).",
        "parnet",
    ),
    Preset(
        "DRN-A and ResNet",
        ("resnet50", "drn_a_50"),
        "Dilation instead of stride gives a last map of 28x28 instead of 7x7 and beats the ResNet "
        "with the very same parameters (arXiv:1705.09914, abstract).",
        "drn",
    ),
    Preset(
        "DSNet and ResNet",
        ("resnet50", "dsnet50"),
        "Dense shortcuts, normalised, weighted and summed, clearly beat ResNet's and come up to "
        "DenseNet with fewer resources (arXiv:2010.12496, abstract).",
        "dsnet",
    ),
)
