"""Squeeze and excitation (Hu et al. 2017, arXiv:1709.01507) as a field of every branch."""

from __future__ import annotations

import re

import pytest

import archgen
from archgen.errors import ArchError

STEM = "stem: {block: conv, width: 8}"


def test_the_gate_is_between_branch_and_join(net, written):
    """Figure 3 of the paper: the scaled branch is added to the identity."""
    graph = net(STEM, "s: {block: basic, depth: 1, width: 8, shortcut: projection, se: 4}").graph()
    assert written(graph, "s.0") == (
        "conv1(8>8,3) norm1 relu conv2(8>8,3) norm2 "
        "se.mean se.reduce(8>2,1) se.relu se.expand(2>8,1) se.sigmoid mul add[2] relu_2"
    )
    assert list(graph.dag.predecessors("s.0.mul")) == ["s.0.norm2", "s.0.se.sigmoid"]
    assert set(graph.dag.predecessors("s.0.add")) == {"s.0.mul", "stem.conv"}


def test_a_dual_join_takes_what_is_gated_apart(net, written):
    unit = "block: {}, depth: 1, width: 4, out: 8, shortcut: {{join: dual, grow: 4}}, se: 4"
    graph = net(STEM, f"s: {{{unit.format('bottleneck_preact')}}}").graph()
    assert written(graph, "s.0").endswith(
        "expand(4>12,1) se.mean se.reduce(12>3,1) se.relu se.expand(3>12,1) se.sigmoid mul "
        "slice_3(0:8) slice_4(8:) add[2] cat[3]"
    )


def test_the_gate_of_a_split_expansion_sees_both_parts(net, written):
    unit = "block: {}, depth: 1, width: 4, out: 8, shortcut: {{join: dual, grow: 4}}, se: 4"
    whole = net(STEM, f"s: {{{unit.format('bottleneck_preact')}}}").graph()
    split = net(STEM, f"s: {{{unit.format('bottleneck_preact_split')}}}").graph()
    assert written(split, "s.0").endswith(
        "expand1(4>8,1) expand2(4>4,1) se.mean se.mean_2 se.cat[2] se.reduce(12>3,1) se.relu "
        "se.expand(3>12,1) se.sigmoid slice_3(0:8) slice_4(8:) mul mul_2 add[2] cat[3]"
    )
    assert archgen.cost(split).params == archgen.cost(whole).params


def test_it_is_a_column(net):
    stages = "block: basic, depth: [2, 1], width: 8, shortcut: projection"
    graph = net(STEM, f"s: {{{stages}, se: [{{first: null, rest: 2}}, 4]}}").graph()
    squeezes = {c.name: c.op.out for c in graph.calls if c.name.endswith("se.reduce")}
    assert squeezes == {"s.0.1.se.reduce": 4, "s.1.0.se.reduce": 2}


def test_a_layer_is_no_branch_and_has_none(net):
    with pytest.raises(ArchError, match="no field of block 'pool_linear' called 'se'"):
        net("head: {block: pool_linear, se: 16}")


# timm 1.0.31: seresnet50, seresnet101, seresnext50_32x4d, seresnext101_64x4d.
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("resnet50", 28_088_024),
        ("resnet101", 49_326_872),
        ("resnext50_32x4d", 27_559_896),
        ("resnext101_64x4d", 88_232_984),
    ],
)
def test_parameters_are_the_fields(name: str, params: int):
    net = archgen.load(name).set({"stages.se": 16})
    assert archgen.cost(net).params == params


def test_the_papers_formula():
    """Hu et al. 2017, section 4: 2/r * sum of N_s * C_s^2, about 2.5 M for ResNet-50 at r = 16."""
    base = archgen.load("resnet50")
    more = archgen.cost(base.set({"stages.se": 16})).params - archgen.cost(base).params
    units = [(3, 256), (4, 512), (6, 1024), (3, 2048)]
    biases = sum(n * (c + c // 16) for n, c in units)
    assert more - biases == 2 * sum(n * c**2 for n, c in units) // 16 == 2_514_944


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "peer"), [("resnet50", "seresnet50"), ("resnext50_32x4d", "seresnext50_32x4d")]
)
def test_logits_are_timms(name: str, peer: str):
    torch = pytest.importorskip("torch", reason="runs networks")
    timm = pytest.importorskip("timm", reason="the peer")
    net = archgen.load(name).set({"stages.se": 16})
    ours = archgen.build(net).double().eval()
    theirs = timm.create_model(peer).double().eval()
    state = {_timms(key): value for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(ours(x), theirs(x), rtol=1e-9, atol=1e-12)


def _timms(key: str) -> str:
    """Name a tensor of ours as timm's ResNet does."""
    for pattern, name in (
        (r"^stem\.conv", "conv1"),
        (r"^stem\.norm", "bn1"),
        (r"^head\.linear", "fc"),
        (r"\.se\.reduce", ".se.fc1"),
        (r"\.se\.expand", ".se.fc2"),
        (r"\.shortcut\.conv", ".downsample.0"),
        (r"\.shortcut\.norm", ".downsample.1"),
        (r"\.reduce_norm", ".bn1"),
        (r"\.spatial_norm", ".bn2"),
        (r"\.expand_norm", ".bn3"),
        (r"\.reduce", ".conv1"),
        (r"\.spatial", ".conv2"),
        (r"\.expand", ".conv3"),
    ):
        key = re.sub(pattern, name, key)
    return re.sub(r"^stages\.(\d)", lambda match: f"layer{int(match[1]) + 1}", key)
