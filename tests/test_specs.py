"""The shipped specs: exact counts, published figures, depths, shapes and golden costs. No torch."""

from __future__ import annotations

import json
import os
import re
from itertools import chain, pairwise
from pathlib import Path

import pytest

from archgen import cost, files, load
from archgen.ops import Conv, Linear, Shape
from archgen.spec import Net, parse

GOLDEN = Path(__file__).parent / "golden" / "costs.json"
NAMES = """
resnet18 resnet34 resnet50 resnet101 resnet152
resnet20_cifar resnet32_cifar resnet44_cifar resnet56_cifar resnet110_cifar
preresnet18 preresnet34 preresnet50 preresnet101 preresnet152 preresnet200
preresnet20_cifar preresnet56_cifar preresnet110_cifar preresnet164_cifar preresnet1001_cifar
resnext50_32x4d resnext101_32x4d resnext101_32x8d resnext101_64x4d
resnext29_8x64d_cifar resnext29_16x64d_cifar resnext29_32x4d_cifar
pyramidnet110_a48 pyramidnet110_a84 pyramidnet110_a270
pyramidnet110_mul_a4_75 pyramidnet110_mul_a8 pyramidnet110_mul_a27
pyramidnet164_a48 pyramidnet164_a84 pyramidnet164_a270
pyramidnet200_a240 pyramidnet236_a220 pyramidnet272_a200
pyramidnet101_a360_imagenet pyramidnet200_a300_imagenet pyramidnet200_a450_imagenet
dpn68 dpn68b dpn92 dpn98 dpn131 dpn107
drn_a_18 drn_a_34 drn_a_50 drn_b_26 drn_c_26 drn_c_42 drn_c_58
drn_d_22 drn_d_24 drn_d_38 drn_d_40 drn_d_54 drn_d_56 drn_d_105 drn_d_107
dsnet18 dsnet34 dsnet50 dsnet101 ds2net50 resnet50_dense
dsnet20_cifar dsnet32_cifar dsnet56_cifar dsnet110_cifar
parnet_s parnet_m parnet_l parnet_xl parnet_s_cifar
densenet121 densenet161 densenet169 densenet201 densenet264
densenet40_k12_cifar densenet40_k12_bc_cifar
densenet100_k12_cifar densenet100_k24_cifar densenet100_k12_bc_cifar
densenet250_k24_bc_cifar densenet190_k40_bc_cifar
repvgg_a0 repvgg_a1 repvgg_a2 repvgg_b0 repvgg_b1 repvgg_b1g4 repvgg_b2 repvgg_b2g4
repvgg_b3 repvgg_b3g4
wrn16_8 wrn28_10 wrn40_2 wrn40_4 wrn40_10 wide_resnet50_2 wide_resnet101_2
""".split()

# Parameters, running means and variances, and MACs, measured on the peers named in the comment.
EXACT = {
    "dpn68": (12_611_602, 65_116, 2_326_163_456),  # timm
    "dpn92": (37_668_392, 125_216, 6_501_684_224),  # timm
    "dpn131": (79_254_504, 223_360, 16_013_648_896),  # timm
    "pyramidnet110_a48": (1_772_706, 13_168, 403_813_504),  # dyhan0920/PyramidNet-PyTorch
    "pyramidnet110_a84": (3_904_446, 19_108, 772_168_168),  # dyhan0920/PyramidNet-PyTorch
    "pyramidnet164_a48": (1_715_442, 43_744, 388_433_920),  # dyhan0920/PyramidNet-PyTorch
    "pyramidnet164_a84": (3_757_494, 63_544, 745_302_688),  # dyhan0920/PyramidNet-PyTorch
    "pyramidnet200_a300_imagenet": (62_368_168, 285_736, 16_550_501_282),  # the same
    "dsnet50": (25_678_376, 134_016, 4_089_184_256),  # our own reimplementation
    "drn_a_50": (25_557_032, 53_120, 19_079_364_608),  # fyu/drn
    "drn_c_26": (21_126_584, 13_984, 16_971_239_424),  # fyu/drn
    "drn_d_22": (16_393_752, 11_776, 13_034_229_760),  # fyu/drn
    "parnet_s": (20_930_936, 33_680, 5_259_501_056),  # imankgoyal/NonDeepNetworks
    "resnet18": (11_689_512, 9_600, 1_814_073_344),  # torchvision
    "resnet50": (25_557_032, 53_120, 4_089_184_256),  # torchvision
    "resnext50_32x4d": (25_028_904, 68_224, 4_230_479_872),  # torchvision
    "densenet121": (7_978_856, 83_648, 2_834_161_664),  # torchvision
    "repvgg_a0": (9_108_968, 23_648, 1_512_581_120),  # timm
    "wrn28_10": (36_479_194, 17_952, 5_243_328_768),  # pytorchcv
}

_nets: dict[str, Net] = {}


def net(name: str) -> Net:
    """Load a shipped spec once."""
    if name not in _nets:
        _nets[name] = load(name)
    return _nets[name]


# --- the library ---------------------------------------------------------------------------


def test_every_promised_spec_is_shipped() -> None:
    assert len(NAMES) == len(set(NAMES)) == 108
    assert set(NAMES) <= set(files.names("specs"))


@pytest.mark.parametrize("name", files.names("specs"))
def test_spec_names_itself_and_its_paper(name: str) -> None:
    spec = net(name)
    assert spec.name == name
    assert spec.paper is not None
    assert spec.paper.arxiv is not None


@pytest.mark.parametrize("name", files.names("specs"))
def test_spec_survives_dump_and_load(name: str) -> None:
    again = parse(net(name).dump())
    assert again == net(name)
    assert again.digest() == net(name).digest()


@pytest.mark.parametrize("name", NAMES)
def test_spec_is_for_its_data_set(name: str) -> None:
    small = name.endswith("_cifar") or name.startswith("wrn")
    small |= name.startswith("pyramidnet") and not name.endswith("_imagenet")
    graph = net(name).graph()
    assert graph.calls[0].shape == ((3, 32, 32) if small else (3, 224, 224))
    assert [graph.calls[end].shape for end in graph.outputs] == [(10,) if small else (1000,)]


# --- counts --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXACT)
def test_counts_equal_the_measured_ones(name: str) -> None:
    counted = cost(net(name))
    assert (counted.params, counted.buffers, counted.macs) == EXACT[name]


def test_published_counts_are_not_lost() -> None:
    given = [paper.published for name in NAMES if (paper := net(name).paper) is not None]
    assert len([figures for figures in given if figures.params]) == 53
    assert len([figures for figures in given if figures.macs]) == 6


def test_dsnet_adds_shortcut_weights_and_norms_but_no_macs() -> None:
    plain, dense = cost(net("resnet50")), cost(net("dsnet50"))
    # k + 1 shortcuts into unit k of each stage, over 256, 512, 1024 and 2048 channels.
    shortcuts = 6 * 256 + 10 * 512 + 21 * 1024 + 6 * 2048
    assert shortcuts == 40_448
    assert dense.params - plain.params == 3 * shortcuts
    assert dense.macs == plain.macs
    assert cost(net("resnet50_dense")).params == plain.params
    # DS2Net: k more into unit k, over the widths of the 3x3 convolutions.
    inner = 3 * 64 + 6 * 128 + 15 * 256 + 3 * 512
    assert cost(net("ds2net50")).params - dense.params == 3 * inner


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_drn_a_has_the_parameters_of_its_resnet(depth: int) -> None:
    drn, resnet = cost(net(f"drn_a_{depth}")), cost(net(f"resnet{depth}"))
    assert drn.params == resnet.params
    assert drn.macs > 4 * resnet.macs


# --- depth ---------------------------------------------------------------------------------

LONGEST_PATHS = {
    # Published depths count all convolutions, also the three projections beside the longest path.
    "wrn16_8": 14,
    "wrn28_10": 26,
    "wrn40_2": 38,
    "wrn40_4": 38,
    "wrn40_10": 38,
    # One more than its name says: the printed layers, counted as in the smaller three.
    "densenet264": 265,
    **{f"parnet_{size}": 12 for size in ("s", "m", "l", "xl", "s_cifar")},
    **{f"repvgg_{size}": 23 for size in ("a0", "a1", "a2")},
    **{f"repvgg_{size}": 29 for size in ("b0", "b1", "b1g4", "b2", "b2g4", "b3", "b3g4")},
    "ds2net50": 50,
}


@pytest.mark.parametrize("name", NAMES)
def test_depth_is_the_one_in_the_name(name: str) -> None:
    in_name = re.search(r"\d+", name)
    wanted = LONGEST_PATHS.get(name) or (int(in_name[0]) if in_name else None)
    assert cost(net(name)).depth == wanted


def test_published_depths() -> None:
    papers = {name: net(name).paper for name in NAMES}
    given = {name: paper.published.depth for name, paper in papers.items() if paper is not None}
    for name, depth in given.items():
        if re.match("dsnet|ds2net|resnet50_dense|repvgg", name):
            assert depth is None, name
        elif name.startswith("parnet"):
            assert depth == 12, name
        else:
            assert str(depth) == re.findall(r"\d+", name)[0], name


# --- shapes --------------------------------------------------------------------------------


def shape(name: str, path: str) -> Shape:
    """Give the shape of the last result at or below a module path."""
    calls = net(name).graph().calls
    return [c.shape for c in calls if c.name == path or c.name.startswith(f"{path}.")][-1]


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("dpn68", [144, 320, 704, 832]),
        ("dpn68b", [144, 320, 704, 832]),
        ("dpn92", [336, 704, 1552, 2688]),
        ("dpn98", [336, 768, 1728, 2688]),
        ("dpn131", [352, 832, 1984, 2688]),
        ("dpn107", [376, 1152, 2432, 2688]),
    ],
)
def test_dpn_stages_give_the_papers_channels(name: str, channels: list[int]) -> None:
    shapes = [shape(name, f"stages.{stage}") for stage in range(4)]
    assert shapes == [(c, s, s) for c, s in zip(channels, (56, 28, 14, 7), strict=True)]


@pytest.mark.parametrize("name", [name for name in NAMES if re.match("drn_[bcd]", name)])
def test_drn_keeps_28_pixels_level_by_level(name: str) -> None:
    expand = 4 if name in ("drn_c_58", "drn_d_54", "drn_d_56", "drn_d_105", "drn_d_107") else 1
    levels = [("stem", 16, 224), ("early.0", 16, 224), ("early.1", 32, 112)]
    levels += [("stages.0", 64 * expand, 56), ("stages.1", 128 * expand, 28)]
    levels += [("stages.2", 256 * expand, 28), ("stages.3", 512 * expand, 28)]
    tail = "stages.4 stages.5" if name == "drn_b_26" else "degrid.0 degrid.1"
    levels += [(path, 512, 28) for path in tail.split()]
    for path, channels, side in levels:
        assert shape(name, path) == (channels, side, side), path


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_drn_a_keeps_28_pixels(depth: int) -> None:
    sides = [shape(f"drn_a_{depth}", f"stages.{stage}")[1:] for stage in range(4)]
    assert sides == [(56, 56), (28, 28), (28, 28), (28, 28)]


def dilations(name: str, path: str) -> list[int]:
    """Give the dilations of the 3x3 convolutions below a module path."""
    ops = [c.op for c in net(name).graph().calls if c.name.startswith(f"{path}.")]
    return [op.dilation for op in ops if isinstance(op, Conv) and op.kernel == 3]


def test_drn_dilates_as_its_code_does() -> None:
    # In A, the units that open a stage are not dilated.
    assert [dilations("drn_a_18", f"stages.{s}") for s in range(4)] == [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [1, 1, 2, 2],
        [1, 1, 4, 4],
    ]
    assert [dilations("drn_c_26", f"stages.{s}") for s in range(4)] == [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [2, 2, 2, 2],
        [4, 4, 4, 4],
    ]
    assert dilations("drn_c_26", "degrid") == [2, 2, 1, 1]
    assert dilations("drn_d_22", "degrid") == [2, 1]


def pyramid(name: str) -> list[list[int]]:
    """Give the width of each unit's last convolution but one, stage by stage."""
    calls = net(name).graph().calls
    bottleneck = any(call.name.endswith(".spatial") for call in calls)
    last = "spatial" if bottleneck else "conv1"
    stages: dict[str, list[int]] = {}
    for call in calls:
        node, *inside = call.name.split(".")
        if node == "stages" and inside[-1] == last:
            stages.setdefault(inside[0], []).append(call.shape[0])
    return list(stages.values())


@pytest.mark.parametrize(
    ("name", "first", "ends"),
    [
        ("pyramidnet110_a48", [17, 18, 19, 20, 20, 21, 22, 23], [32, 48, 64]),
        ("pyramidnet164_a48", [17, 18, 19, 20, 20, 21, 22, 23], [32, 48, 64]),
        ("pyramidnet110_a84", [18, 19, 21, 22, 24, 25, 27, 28], [44, 72, 100]),
        ("pyramidnet164_a84", [18, 19, 21, 22, 24, 25, 27, 28], [44, 72, 100]),
        ("pyramidnet200_a300_imagenet", [69, 73, 78, 82, 87, 91], [78, 187, 350, 364]),
    ],
)
def test_pyramidnet_widths(name: str, first: list[int], ends: list[int]) -> None:
    stages = pyramid(name)
    assert list(chain.from_iterable(stages))[: len(first)] == first
    assert [stage[-1] for stage in stages] == ends


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("pyramidnet110_mul_a4_75", 76),
        ("pyramidnet110_a48", 64),
        ("pyramidnet110_mul_a8", 128),
        ("pyramidnet110_a84", 100),
        ("pyramidnet110_mul_a27", 432),
        ("pyramidnet110_a270", 286),
        ("pyramidnet164_a48", 256),
        ("pyramidnet164_a84", 400),
        ("pyramidnet164_a270", 1144),
        ("pyramidnet200_a240", 1024),
        ("pyramidnet236_a220", 944),
        ("pyramidnet272_a200", 864),
        ("pyramidnet200_a300_imagenet", 1456),
        ("pyramidnet200_a450_imagenet", 2056),
        ("pyramidnet101_a360_imagenet", 1696),
    ],
)
def test_pyramidnet_gives_the_published_features(name: str, features: int) -> None:
    assert shape(name, "stages")[0] == features


def test_parnet_maps() -> None:
    assert [shape("parnet_s", path) for path in "at2 at4 at8 at16 body at32".split()] == [
        (64, 112, 112),
        (92, 56, 56),
        (192, 28, 28),
        (384, 14, 14),
        (384, 14, 14),
        (1280, 7, 7),
    ]
    assert [shape("parnet_s_cifar", path)[1:] for path in "stem at1 at2 at4 at8".split()] == [
        (32, 32),
        (32, 32),
        (16, 16),
        (8, 8),
        (4, 4),
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("parnet")])
def test_parnet_lowers_with_any_number_of_streams(name: str) -> None:
    counts = [cost(net(name).set({"body.streams": streams})) for streams in (1, 2, 3, 4)]
    assert counts[2].params == cost(net(name)).params
    assert all(a.params < b.params for a, b in pairwise(counts))
    # Without a second stream there is no fusion on the path.
    assert [count.depth for count in counts] == [11, 12, 12, 12]


def test_repvgg_g4_groups_every_second_block_over_all_stages() -> None:
    calls = net("repvgg_b1g4").graph().calls
    groups = [c.op.groups for c in calls if isinstance(c.op, Conv) and c.op.kernel == 3]
    assert groups == [1] + [1, 4] * 13 + [1]


def test_wide_resnet_doubles_the_inner_width_alone() -> None:
    for stage, out in enumerate([256, 512, 1024, 2048]):
        assert shape("wide_resnet50_2", f"stages.{stage}.0.spatial")[0] == out // 2
        assert shape("wide_resnet50_2", f"stages.{stage}")[0] == out


def test_classifiers_alone_have_biases() -> None:
    for name in NAMES:
        ops = [call.op for call in net(name).graph().calls]
        assert not any(isinstance(op, Conv) and op.bias for op in ops), name
        assert [op.bias for op in ops if isinstance(op, Linear)] == [True], name


# --- golden costs --------------------------------------------------------------------------


def test_costs_are_the_golden_ones() -> None:
    """Compare with ``golden/costs.json``.

    After a wanted change, rewrite it and read its diff:
    ``ARCHGEN_REWRITE_GOLDEN=1 pytest tests/test_specs.py -k golden`` (which fails, so that no
    check passes by rewriting).
    """
    table = {}
    for name in files.names("specs"):
        counts = cost(net(name))
        table[name] = {
            "params": counts.params,
            "macs": counts.macs,
            "depth": counts.depth,
            "activations": counts.activations,
        }
    if os.environ.get("ARCHGEN_REWRITE_GOLDEN") == "1":
        rows = [f'  "{name}": {json.dumps(row)}' for name, row in table.items()]
        GOLDEN.write_text("{\n" + ",\n".join(rows) + "\n}\n")
        pytest.fail(f"rewrote {GOLDEN}; read its diff and run again without the variable")
    golden = json.loads(GOLDEN.read_text())
    changed = {
        name: (golden.get(name), table.get(name))
        for name in sorted(golden.keys() | table.keys())
        if golden.get(name) != table.get(name)
    }
    assert not changed, "costs changed (golden, now)"
