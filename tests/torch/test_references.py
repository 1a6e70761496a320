"""Networks against torch's own counts, and against torchvision's and timm's with the same weights.

A peer's weights, all random, norms and their statistics included, go into our module by
name; logits in float64 must then be equal. Nothing is initialised: both modules are made on
the meta device and hold the same tensors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import archgen
from archgen import files
from archgen.spec import Net

# torch and the peers are imported inside functions: `pytest -m "not torch"` reads this file too.
pytestmark = pytest.mark.torch

Keys = Callable[[str], str]
Rules = dict[str, str | Callable[[re.Match[str]], str]]
COUNTER = ".num_batches_tracked"


# --- our counts against torch's ------------------------------------------------------------


def hollow(net: Net) -> Any:
    """Build a network without storage."""
    import torch

    with torch.device("meta"):
        return archgen.build(net, init=False).eval()


def count_flops(model: Any, image: tuple[int, ...]) -> int:
    """Count floating-point operations of one image as torch does, on the meta device."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.empty(1, *image, device="meta"))
    return int(counter.get_total_flops())


def sizes(model: Any) -> tuple[int, int]:
    """Count learned scalars, and running means and variances."""
    buffers = [x.numel() for key, x in model.named_buffers() if not key.endswith(COUNTER)]
    return sum(x.numel() for x in model.parameters()), sum(buffers)


@pytest.fixture
def no_norms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip norms, whose meta kernel takes most of the time: they have no MACs, and keep shapes."""
    from torch import nn

    monkeypatch.setattr(nn.BatchNorm2d, "forward", lambda _self, x: x)


@pytest.mark.usefixtures("no_norms")
@pytest.mark.parametrize("name", files.names("specs"))
def test_torch_counts_what_we_count(name: str) -> None:
    from torch import nn

    net = archgen.load(name)
    counts = archgen.cost(net)
    model = hollow(net)
    made: list[int] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(lambda _m, _i, out: made.append(out.numel()))
    assert count_flops(model, net.input) == 2 * counts.macs
    assert sizes(model) == (counts.params, counts.buffers)
    assert sum(made) == counts.activations


# --- names: ours -> the peer's -------------------------------------------------------------


def renamed(key: str, rules: Rules) -> str:
    """Rename a module path by the first rule whose pattern is all of it."""
    for pattern, name in rules.items():
        if match := re.fullmatch(pattern, key):
            return match.expand(name) if isinstance(name, str) else name(match)
    raise AssertionError(f"no rule for {key}")


def torchvision_resnet(key: str) -> str:
    """ResNet, ResNeXt and Wide ResNet: stages are called layer1 to layer4."""

    def unit(match: re.Match[str]) -> str:
        inside = renamed(
            match[3],
            {
                r"conv([12])": r"conv\1",
                r"norm([12])": r"bn\1",
                "reduce": "conv1",
                "reduce_norm": "bn1",
                "spatial": "conv2",
                "spatial_norm": "bn2",
                "expand": "conv3",
                "expand_norm": "bn3",
                r"shortcut\.conv": "downsample.0",
                r"shortcut\.norm": "downsample.1",
            },
        )
        return f"layer{int(match[1]) + 1}.{match[2]}.{inside}"

    return renamed(
        key,
        {
            r"stem\.conv": "conv1",
            r"stem\.norm": "bn1",
            r"stages\.(\d+)\.(\d+)\.(.+)": unit,
            r"head\.linear": "fc",
        },
    )


def torchvision_densenet(key: str) -> str:
    """DenseNet: our transitions are the first module of the stage that they lead to."""

    def layer(match: re.Match[str]) -> str:
        stage, index = int(match[1]), int(match[2])
        inside = renamed(
            match[3],
            {
                "norm": "norm",
                "conv": "conv",
                "reduce_norm": "norm1",
                "reduce": "conv1",
                "spatial_norm": "norm2",
                "spatial": "conv2",
            },
        )
        if stage and not index:
            return f"features.transition{stage}.{inside}"
        number = index if stage else index + 1
        return f"features.denseblock{stage + 1}.denselayer{number}.{inside}"

    return renamed(
        key,
        {
            r"stem\.(conv|norm)": r"features.\g<1>0",
            r"stages\.(\d+)\.(\d+)\.(.+)": layer,
            r"head\.norm": "features.norm5",
            r"head\.linear": "classifier",
        },
    )


def timm_dpn(key: str) -> str:
    """DPN: conv2_1 is the first unit; its projection is w_s1, that of later stages w_s2."""

    def unit(match: re.Match[str]) -> str:
        stage, index = int(match[1]) + 2, int(match[2]) + 1
        projection = "c1x1_w_s1" if stage == 2 else "c1x1_w_s2"
        inside = renamed(
            match[3],
            {
                "reduce_norm": "c1x1_a.bn",
                "reduce": "c1x1_a.conv",
                "spatial_norm": "c3x3_b.bn",
                "spatial": "c3x3_b.conv",
                "expand_norm": "c1x1_c.bn",
                "expand": "c1x1_c.conv",
                r"expand([12])": r"c1x1_c\1",
                r"shortcut\.norm": f"{projection}.bn",
                r"shortcut\.conv": f"{projection}.conv",
            },
        )
        return f"features.conv{stage}_{index}.{inside}"

    return renamed(
        key,
        {
            r"stem\.conv": "features.conv1_1.conv",
            r"stem\.norm": "features.conv1_1.bn",
            r"stages\.(\d+)\.(\d+)\.(.+)": unit,
            r"head\.norm": "features.conv5_bn_ac.bn",
            r"head\.linear": "classifier",
        },
    )


def timm_repvgg(key: str) -> str:
    """RepVGG: the same stages; kxk is the 3x3."""
    return renamed(
        key,
        {
            r"(.+)\.spatial": r"\1.conv_kxk.conv",
            r"(.+)\.spatial_norm": r"\1.conv_kxk.bn",
            r"(.+)\.pointwise": r"\1.conv_1x1.conv",
            r"(.+)\.pointwise_norm": r"\1.conv_1x1.bn",
            r"(.+)\.identity_norm": r"\1.identity",
            r"head\.linear": "head.fc",
        },
    )


def timm_resnetv2(key: str) -> str:
    """Pre-activation ResNet: norms and convolutions are numbered in order."""

    def unit(match: re.Match[str]) -> str:
        inside = renamed(
            match[3],
            {
                "reduce_norm": "norm1",
                "reduce": "conv1",
                "spatial_norm": "norm2",
                "spatial": "conv2",
                "expand_norm": "norm3",
                "expand": "conv3",
                r"shortcut\.conv": "downsample.conv",
            },
        )
        return f"stages.{match[1]}.blocks.{match[2]}.{inside}"

    return renamed(
        key,
        {
            r"stem\.conv": "stem.conv",
            r"stages\.(\d+)\.(\d+)\.(.+)": unit,
            r"head\.norm": "norm",
            r"head\.linear": "head.fc",
        },
    )


# --- peers ---------------------------------------------------------------------------------


class Reference(NamedTuple):
    """A network that somebody else has written too."""

    spec: str
    library: str
    model: str
    keys: Keys
    change: Mapping[str, Any] = MappingProxyType({})

    def net(self) -> Net:
        """Load our spec, changed to the peer's convention where there are two."""
        return archgen.load(self.spec).set(self.change)

    def peer(self) -> Any:
        """Make the peer without storage."""
        import torch

        reason = "a peer of the [dev] extra"
        library = pytest.importorskip(self.library, reason=reason)
        create = library.create_model if self.library == "timm" else library.models.get_model
        with torch.device("meta"):
            return create(self.model).eval()


REFERENCES = [
    Reference("resnet18", "torchvision", "resnet18", torchvision_resnet),
    Reference("resnet50", "torchvision", "resnet50", torchvision_resnet),
    Reference("resnext50_32x4d", "torchvision", "resnext50_32x4d", torchvision_resnet),
    Reference("wide_resnet50_2", "torchvision", "wide_resnet50_2", torchvision_resnet),
    Reference("densenet121", "torchvision", "densenet121", torchvision_densenet),
    Reference("dpn68", "timm", "dpn68", timm_dpn),
    Reference("dpn68b", "timm", "dpn68b", timm_dpn),
    Reference("dpn92", "timm", "dpn92", timm_dpn),
    Reference("repvgg_a0", "timm", "repvgg_a0", timm_repvgg),
    Reference("repvgg_b1g4", "timm", "repvgg_b1g4", timm_repvgg),
    Reference(
        "preresnet50",
        "timm",
        "resnetv2_50",
        timm_resnetv2,
        {"stem": {"block": "bare_conv_pool", "width": 64}},
    ),
]
each_reference = pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: r.spec)


def random_state(peer: Any) -> dict[str, Any]:
    """Give every tensor of a module random numbers, statistics of norms included."""
    import torch

    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Any:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def tensor(key: str, like: Any) -> Any:
        if key.endswith(COUNTER):
            return torch.zeros((), dtype=torch.long)
        if like.dim() > 1:
            return normal(*like.shape) * sqrt(2 / like[0].numel())
        if key.endswith(("running_var", "weight")):
            return 0.5 + torch.rand(like.shape, generator=generator, dtype=torch.float64)
        return 0.1 * normal(*like.shape)

    return {key: tensor(key, like) for key, like in peer.state_dict().items()}


def ours_with(net: Net, state: dict[str, Any], keys: Keys) -> Any:
    """Build our module around a peer's tensors; every one of them must find its place."""
    model = hollow(net)
    named = {}
    for key, like in model.state_dict().items():
        module, _, leaf = key.rpartition(".")
        # Some peers classify by a 1x1 convolution.
        named[key] = state[f"{keys(module)}.{leaf}"].reshape(like.shape)
    assert len(named) == len(state)
    assert {x.data_ptr() for x in named.values()} == {x.data_ptr() for x in state.values()}
    model.load_state_dict(named, assign=True)
    return model


def distance(a: Any, b: Any) -> float:
    """Give the largest difference over the largest value."""
    return float((a - b).abs().max() / b.abs().max())


def images(count: int) -> Any:
    """Give random images, small enough for a CPU."""
    import torch

    generator = torch.Generator().manual_seed(1)
    return torch.randn((count, 3, 64, 64), generator=generator, dtype=torch.float64)


@each_reference
def test_logits_equal_the_peers(reference: Reference) -> None:
    import torch

    peer = reference.peer()
    state = random_state(peer)
    peer.load_state_dict(state, assign=True)
    model = ours_with(reference.net(), state, reference.keys)
    x = images(2)
    with torch.no_grad():
        ours, theirs = model(x), peer(x)
    assert theirs.isfinite().all()
    # The two images differ, so that equal logits mean something.
    assert distance(theirs[0], theirs[1]) > 1e-3
    assert distance(ours, theirs) < 1e-6


@each_reference
@pytest.mark.usefixtures("no_norms")
def test_counts_equal_the_peers(reference: Reference) -> None:
    counts = archgen.cost(reference.net())
    peer = reference.peer()
    assert sizes(peer) == (counts.params, counts.buffers)
    assert count_flops(peer, (3, 224, 224)) == 2 * counts.macs


@pytest.mark.parametrize(
    ("spec", "change"),
    [
        ("resnet50", {"stages.stride": [1, 2, 2, 1]}),
        ("resnet18", {"stages.act": "leaky_relu"}),
        ("densenet121", {"stages.eps": 1e-3}),
        ("dpn68", {"stages.eps": 1e-5}),
        ("dpn68", {"head.eps": 1e-5}),
        ("repvgg_a0", {"stages.dilation": 2}),
        ("preresnet50", {"head.act": "leaky_relu"}),
    ],
)
def test_logits_of_a_changed_network_differ(spec: str, change: dict[str, Any]) -> None:
    """Small changes that keep every weight must be seen, or the comparison is worth nothing."""
    import torch

    reference = next(r for r in REFERENCES if r.spec == spec)
    state = random_state(reference.peer())
    net = reference.net()
    x = images(1)
    with torch.no_grad():
        right = ours_with(net, state, reference.keys)(x)
        wrong = ours_with(net.set(change), state, reference.keys)(x)
    assert distance(wrong, right) > 1e-6
