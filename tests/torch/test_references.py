"""Networks against torch's own counts, and against torchvision's and timm's with the same weights.

A peer's weights, all random, norms and their statistics included, are saved as a file and loaded
into our network; logits in float64 must then be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import archgen
from archgen import files
from archgen.spec import Net

# torch and the peers are imported inside functions: `pytest -m "not torch"` reads this file too.
pytestmark = pytest.mark.torch

RandomState = Callable[[Any], dict[str, Any]]
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


# --- peers ---------------------------------------------------------------------------------


class Reference(NamedTuple):
    """A network that somebody else has written too."""

    spec: str
    library: str
    model: str
    source: str
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
    Reference("resnet18", "torchvision", "resnet18", "torchvision's ResNet"),
    Reference("resnet50", "torchvision", "resnet50", "torchvision's ResNet"),
    Reference("resnext50_32x4d", "torchvision", "resnext50_32x4d", "torchvision's ResNet"),
    Reference("wide_resnet50_2", "torchvision", "wide_resnet50_2", "torchvision's ResNet"),
    Reference("resnet50", "timm", "seresnet50", "torchvision's ResNet", {"stages.se": 16}),
    Reference("densenet121", "torchvision", "densenet121", "torchvision's DenseNet"),
    Reference("dpn68", "timm", "dpn68", "timm's DPN"),
    Reference("dpn68b", "timm", "dpn68b", "timm's DPN"),
    Reference("dpn92", "timm", "dpn92", "timm's DPN"),
    Reference("dpn131", "timm", "dpn131", "timm's DPN"),
    Reference("repvgg_a0", "timm", "repvgg_a0", "timm's RepVGG"),
    Reference("repvgg_b1g4", "timm", "repvgg_b1g4", "timm's RepVGG"),
    Reference(
        "preresnet50",
        "timm",
        "resnetv2_50",
        "timm's ResNetV2",
        {"stem": {"block": "bare_conv_pool", "width": 64}},
    ),
]
each_reference = pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: r.model)


def distance(a: Any, b: Any) -> float:
    """Give the largest difference over the largest value."""
    return float((a - b).abs().max() / b.abs().max())


def images(count: int) -> Any:
    """Give random images, small enough for a CPU."""
    import torch

    generator = torch.Generator().manual_seed(1)
    return torch.randn((count, 3, 64, 64), generator=generator, dtype=torch.float64)


@each_reference
def test_logits_equal_the_peers(
    reference: Reference, random_state: RandomState, tmp_path: Path
) -> None:
    import torch

    peer = reference.peer()
    state = random_state(peer)
    file = tmp_path / "peer.pth"
    torch.save(state, file)
    loaded = archgen.load_weights(reference.net(), file)
    file.unlink()
    assert loaded.fit.naming.source == reference.source
    assert loaded.fit.complete
    x = images(2)
    peer.load_state_dict(state, assign=True)
    with torch.no_grad():
        ours, theirs = loaded.model.eval()(x), peer(x)
    assert theirs.isfinite().all()
    # The two images differ, so that equal logits mean something.
    assert distance(theirs[0], theirs[1]) > 1e-3
    assert distance(ours, theirs) < 1e-12


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
def test_logits_of_a_changed_network_differ(
    spec: str, change: dict[str, Any], random_state: RandomState
) -> None:
    """Small changes that keep every weight must be seen, or the comparison is worth nothing."""
    import torch

    from archgen.export.fit import fit
    from archgen.export.load import fill
    from archgen.nn.weights import Weights

    reference = next(r for r in REFERENCES if r.spec == spec)
    weights = Weights(Path("peer.pth"), random_state(reference.peer()), {})
    net = reference.net()
    x = images(1)
    with torch.no_grad():
        right, wrong = (
            fill(fit(each, weights.shapes), weights).eval()(x) for each in (net, net.set(change))
        )
    assert distance(wrong, right) > 1e-6
