"""All the names that archgen knows, one module a source.

The official code of Dual Path Networks is in MXNet, those of DenseNet, Wide ResNet and
pre-activation ResNet in Lua; of DSNet none was found. Their PyTorch ports in timm and torchvision
are here.
"""

from archgen.export.names import drn, parnet, pyramidnet, repvgg, timm, torchvision
from archgen.export.naming import Naming

OURS = Naming("archgen", ".".join)
NAMINGS: tuple[Naming, ...] = (
    OURS,
    torchvision.RESNET,
    torchvision.DENSENET,
    timm.DPN,
    timm.REPVGG,
    timm.RESNETV2,
    drn.DRN,
    pyramidnet.PYRAMIDNET,
    parnet.PARNET,
    repvgg.REPVGG,
)
