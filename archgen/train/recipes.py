"""The recipes of the papers, by name: what their sources give, and where they are silent.

Those of ImageNet leave the data to name: ``imagefolder:PATH``. Of augmentation, only crops and
flips are offered. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Named:
    """One recipe of a paper: values of `Recipe`'s fields, and where they are from.

    Args:
        source: Where the values were read, what is left out, and which are our choice.
        values: The fields that it sets; all others keep their defaults.
    """

    source: str
    values: dict[str, Any] = field(repr=False)


def _stepped(epochs: int, batch: int, lr: float, **more: Any) -> dict[str, Any]:
    """SGD with momentum 0.9 and decay 1e-4 of everything, no warm-up, tenths of the rate."""
    common = {"warmup": 0.0, "weight_decay": 1e-4, "decay": "all", "schedule": "step"}
    return {"epochs": epochs, "batch": batch, "lr": lr, **common, **more}


_HALVES = (0.5, 0.75)
_THIRDS = (1 / 3, 2 / 3)

RECIPES: dict[str, Named] = {
    "resnet_cifar": Named(
        "arXiv:1512.03385, section 4.2: 64k steps of 128 images (182 epochs of the 45,000 that "
        "the paper trains on), a tenth of the rate at 32k and 48k. Left out: ResNet-110 starts "
        "with 0.01 until its training error is below 80 %.",
        _stepped(182, 128, 0.1, data="cifar10", nesterov=False, milestones=_HALVES),
    ),
    "resnet_imagenet": Named(
        "arXiv:1512.03385, section 3.4: batch 256, rate 0.1, decay 1e-4, momentum 0.9, no "
        "dropout; a tenth of the rate when the error stops falling, at most 600k steps. Our "
        "choice: 90 epochs with drops at 30 and 60.",
        _stepped(90, 256, 0.1, nesterov=False, milestones=_THIRDS),
    ),
    "pyramidnet_cifar": Named(
        "README of github.com/jhkim89/PyramidNet (arXiv:1610.02915): 300 epochs, drops at 150 "
        "and 225, batch 128, rate 0.1 for CIFAR-10; for CIFAR-100 it has 0.5 on four GPUs. "
        "Decay and Nesterov momentum as in github.com/dyhan0920/PyramidNet-PyTorch.",
        _stepped(300, 128, 0.1, data="cifar10", milestones=_HALVES),
    ),
    "pyramidnet_imagenet": Named(
        "README of github.com/dyhan0920/PyramidNet-PyTorch (arXiv:1610.02915): 100 epochs, "
        "batch 128, rate 0.05. Our choice: drops at 30, 60 and 90. Its widest network, "
        "200 layers with alpha 450, also has head_dropout 0.5.",
        _stepped(100, 128, 0.05, milestones=(0.3, 0.6, 0.9)),
    ),
    "dpn_imagenet": Named(
        "README of github.com/cypw/DPNs (arXiv:1707.01629): 40 GPUs with 32 images each; rate "
        "0.316 as in timm's model index. Our choice, since both are silent: 90 epochs with "
        "drops at 30 and 60, momentum 0.9, Nesterov's, decay 1e-4.",
        _stepped(90, 1280, 0.316, milestones=_THIRDS),
    ),
    "drn_imagenet": Named(
        "Defaults of classify.py of github.com/fyu/drn (arXiv:1705.09914): 90 epochs, batch "
        "256, rate 0.1, a tenth every 30 epochs, decay 1e-4, momentum 0.9.",
        _stepped(90, 256, 0.1, nesterov=False, milestones=_THIRDS),
    ),
    "dsnet_cifar": Named(
        "No training code of arXiv:2010.12496 was found: train.py of the unofficial "
        "github.com/shaoshitong/DSNet has 200 epochs, rate 0.1 with drops at 100 and 150, decay "
        "1e-4, Nesterov. Our choice: batch 128, as a replication of the paper has it.",
        _stepped(200, 128, 0.1, data="cifar100", milestones=_HALVES),
    ),
    "parnet_imagenet": Named(
        "train_models.sh of github.com/imankgoyal/NonDeepNetworks (arXiv:2110.07641): 120 "
        "epochs (200 for the longer run of XL), 8 GPUs with 128 images each, cosine from 0.001 "
        "as the script has it, label smoothing 0.1, EMA 0.9999, no decay of norms and biases. "
        "Left out: RandAugment, random erasing, 16-bit precision, 10 epochs at the end at 1e-5.",
        {
            "epochs": 120,
            "batch": 1024,
            "lr": 0.001,
            "warmup": 0.0,
            "label_smoothing": 0.1,
            "ema": 0.9999,
        },
    ),
}
