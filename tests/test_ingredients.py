"""The ideas are ingredients: each mixture is one changed line of a shipped spec, and builds."""

import difflib
from pathlib import Path
from typing import NamedTuple

import pytest

import archgen
from archgen.cli.options import load_net
from archgen.errors import ArchError
from archgen.files import library
from archgen.graph import check
from archgen.ops import Conv
from archgen.spec import Net, parse

PAGE = Path(__file__).parent.parent / "docs" / "ingredients.md"


class Mixture(NamedTuple):
    """One changed line of a shipped spec.

    Args:
        base: The spec.
        old: Its line.
        new: What stands there instead: the line again, where one is added behind it.
        change: The same for the command line: ``--set PATH=VALUE``.
    """

    base: str
    old: str
    new: str
    change: str


MIXTURES = {
    "dilated DPN": Mixture(
        "dpn92",
        "input: [3, 224, 224]",
        "output_stride: 8\ninput: [3, 224, 224]",
        "output_stride=8",
    ),
    "pyramid widths on DPN's residual path": Mixture(
        "dpn92",
        "    out:         {kind: geometric, start: 256, ratio: 2}",
        "    out:         {kind: additive, start: 256, alpha: 1792}",
        "stages.out={kind: additive, start: 256, alpha: 1792}",
    ),
    "DPN units in ParNet's streams": Mixture(
        "parnet_s",
        "    block:   repvgg_sse",
        "    block:   {block: bottleneck_preact, groups: 4, expand: 1,"
        " shortcut: {join: dual, grow: 16}}",
        "body.block={block: bottleneck_preact, groups: 4, expand: 1,"
        " shortcut: {join: dual, grow: 16}}",
    ),
    "dense shortcuts in a PyramidNet": Mixture(
        "pyramidnet110_a48",
        "    shortcut: {join: add, down: avg_pool, widen: zeros}",
        "    shortcut: {join: dense}",
        "stages.shortcut={join: dense}",
    ),
    "ParNet with 1 stream": Mixture(
        "parnet_s", "    streams: 3", "    streams: 1", "body.streams=1"
    ),
    "ParNet with 2 streams": Mixture(
        "parnet_s", "    streams: 3", "    streams: 2", "body.streams=2"
    ),
    "ParNet with 4 streams": Mixture(
        "parnet_s", "    streams: 3", "    streams: 4", "body.streams=4"
    ),
    "zero-padded shortcuts in a ResNeXt": Mixture(
        "resnext50_32x4d",
        "    shortcut:    projection",
        "    shortcut:    zero_pad",
        "stages.shortcut=zero_pad",
    ),
    "SE in a DRN": Mixture(
        "drn_c_26",
        "    depth:    [2, 2, 2, 2]",
        "    depth:    [2, 2, 2, 2]\n    se:       16",
        "stages.se=16",
    ),
    "dilation plan in a DPN": Mixture(
        "dpn92",
        "    stride:      [1, 2, 2, 2]",
        "    stride:      [1, 2, 2, 2]\n    dilation:    [1, 1, 2, {first: 2, rest: 4}]",
        "stages.dilation=[1, 1, 2, {first: 2, rest: 4}]",
    ),
    "dual join over ParNet's branch": Mixture(
        "parnet_s",
        "    block:   repvgg_sse",
        "    block:   repvgg_sse\n    shortcut: {join: dual, grow: 16}",
        "body.shortcut={join: dual, grow: 16}",
    ),
    "dual join over a basic branch": Mixture(
        "resnet18",
        "    shortcut: projection",
        "    shortcut: {join: dual, grow: [16, 32, 32, 64]}",
        "stages.shortcut={join: dual, grow: [16, 32, 32, 64]}",
    ),
}


def mixed(name: str) -> Net:
    """Change the one line, and see that it is one."""
    mixture = MIXTURES[name]
    text = (library("specs") / f"{mixture.base}.yaml").read_text()
    assert text.count(f"{mixture.old}\n") == 1
    changed = text.replace(f"{mixture.old}\n", f"{mixture.new}\n")
    added = [
        line for line in difflib.ndiff(text.splitlines(), changed.splitlines()) if line[0] == "+"
    ]
    assert len(added) == 1
    return parse(changed)


@pytest.fixture(params=MIXTURES)
def mixture(request: pytest.FixtureRequest) -> str:
    """Each mixture in turn."""
    return str(request.param)


def test_lowers_to_another_sound_network(mixture):
    net = mixed(mixture)
    base = archgen.load(MIXTURES[mixture].base)
    check(net.graph())
    assert net.digest() != base.digest()


def test_one_option_of_the_command_line_does_the_same(mixture):
    wanted = MIXTURES[mixture]
    assert load_net(wanted.base, [wanted.change]).digest() == mixed(mixture).digest()


def last_map(net: Net) -> tuple[int, ...]:
    """Shape of the last map before the head."""
    graph = net.graph()
    maps = [call.shape for call in graph.calls if not call.name.startswith("head")]
    return maps[-1]


def test_dilated_dpn_keeps_parameters_and_grows_its_map():
    net, base = mixed("dilated DPN"), archgen.load("dpn92")
    assert last_map(base) == (2688, 7, 7)
    assert last_map(net) == (2688, 28, 28)
    assert archgen.cost(net).params == archgen.cost(base).params


def test_pyramid_widths_leave_the_dense_path_alone():
    net = mixed("pyramid widths on DPN's residual path")
    shapes = {call.name: call.shape for call in net.graph().calls}
    # After unit j (from 1) of a stage the map holds its width and (j + 2) * inc channels; the
    # width grows by 1792 / 30 a unit.
    assert shapes["stages.0.2.cat"][0] == round(256 + 3 * 1792 / 30) + (3 + 2) * 16
    assert shapes["stages.3.2.cat"][0] == 2048 + (3 + 2) * 128


def test_the_page_tells_each_mixtures_cost(mixture):
    wanted, net = MIXTURES[mixture], mixed(mixture)
    counts = [archgen.cost(each) for each in (archgen.load(wanted.base), net)]
    numbers = [c.params for c in counts] + [c.macs for c in counts]
    cells = [mixture, wanted.base, f"`{wanted.change}`", *(f"{number:,}" for number in numbers)]
    assert f"| {' | '.join(cells)} |\n" in PAGE.read_text()


def test_the_units_in_the_streams_are_dpns():
    net = mixed("DPN units in ParNet's streams")
    graph = net.graph()
    shapes = {call.name: call.shape for call in graph.calls}
    # Residual width, twice grow where the stage opens and grow once a unit: arXiv:1707.01629.
    for stream, width, depth in (("at4", 92, 4), ("at8", 192, 5), ("at16", 384, 5)):
        dense = 16 * (depth + 2)
        assert shapes[f"body.{stream}.{depth - 1}.cat"][0] == width + dense
    convs = {call.name: call.op for call in graph.calls if call.op.weighted}
    assert convs["body.at8.0.shortcut.conv"].out == 192 + 2 * 16
    assert convs["body.at8.1.spatial"].groups == 4
    assert convs["body.at8.1.expand"].out == 192 + 16
    assert graph.calls[graph.outputs[0]].shape == (1000,)


def test_squeeze_and_excitation_leaves_the_dilation_plan_alone():
    net, base = mixed("SE in a DRN"), archgen.load("drn_c_26")
    assert last_map(net) == last_map(base) == (512, 28, 28)
    dilations = [
        [call.op.dilation for call in each.graph().calls if isinstance(call.op, Conv)
         and call.op.kernel == 3] for each in (net, base)
    ]  # fmt: skip
    assert dilations[0] == dilations[1]
    widths = (64, 128, 256, 512)
    added = sum(2 * (2 * c * c // 16 + c // 16 + c) for c in widths)
    assert archgen.cost(net).params - archgen.cost(base).params == added


def test_zero_padded_shortcuts_only_take_parameters_away():
    net = mixed("zero-padded shortcuts in a ResNeXt")
    base = archgen.load("resnext50_32x4d")
    projections = [
        call for call in base.graph().calls if ".shortcut." in call.name and call.op.param_count
    ]
    assert len(projections) == 2 * 4
    gone = sum(call.op.param_count for call in projections)
    assert archgen.cost(base).params - archgen.cost(net).params == gone


def test_streams_are_named_by_the_maps_that_they_read():
    paths = {call.name.rsplit(".", 2)[0] for call in mixed("ParNet with 4 streams").graph().calls}
    assert {"body.at2", "body.at4", "body.at8", "body.at16"} <= paths
    two = mixed("ParNet with 2 streams").graph()
    assert not any(call.name.startswith(("body.at2.", "body.at4.")) for call in two.calls)


def test_three_streams_are_parnet_itself():
    assert (
        archgen.load("parnet_s").set({"body.streams": 3}).digest()
        == archgen.load("parnet_s").digest()
    )


def test_a_stream_is_the_same_however_many_run():
    net = archgen.load("parnet_s").set(
        {
            "body.block": "conv_norm",
            "body.width": {"kind": "geometric", "start": 48, "ratio": 2},
            "body.fuse": {"block": "concat"},
            "body.down": {"block": "conv_norm"},
        }
    )
    for streams in (1, 2, 4):
        graph = net.set({"body.streams": streams, "body.fuse": {"block": "parnet_fuse"}}).graph()
        assert {c.shape for c in graph.calls if c.name.startswith("body.at16.")} == {(384, 14, 14)}


def test_five_streams_are_refused():
    with pytest.raises(ArchError, match=r"nodes\.body\.streams: 5 streams need 5 maps"):
        archgen.load("parnet_s").set({"body.streams": 5})


@pytest.mark.torch
def test_builds_and_trains_one_step(mixture):
    torch = pytest.importorskip("torch", reason="builds modules")
    net = mixed(mixture)
    torch.manual_seed(0)
    model = archgen.build(net)
    assert sum(p.numel() for p in model.parameters()) == archgen.cost(net).params
    side = 64 if net.input[1] > 64 else 32
    images, labels = torch.randn(2, net.input[0], side, side), torch.tensor([0, 1])

    def loss() -> torch.Tensor:
        return torch.nn.functional.cross_entropy(model(images), labels)

    before = [p.detach().clone() for p in model.parameters()]
    loss().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    torch.optim.SGD(model.parameters(), lr=0.01).step()
    moved = 0
    for old, weight in zip(before, model.parameters(), strict=True):
        felt = (0.01 * weight.grad).abs() > torch.finfo(torch.float32).eps * old.abs()
        assert (old != weight)[felt].all()  # the rest may be lost in rounding
        moved += bool(felt.any())
    assert moved > len(before) / 2
    assert loss().isfinite()
