"""The ideas are ingredients: each mixture is one changed line of a shipped spec, and builds."""

import difflib

import pytest

import archgen
from archgen.errors import ArchError
from archgen.files import library
from archgen.graph import check
from archgen.spec import Net, parse

MIXTURES = {
    "dilated DPN": (
        "dpn92",
        "input: [3, 224, 224]",
        "output_stride: 8\ninput: [3, 224, 224]",
    ),
    "dilation plan in a DPN": (
        "dpn92",
        "    stride:      [1, 2, 2, 2]",
        "    stride:      [1, 2, 2, 2]\n    dilation:    [1, 1, 2, {first: 2, rest: 4}]",
    ),
    "pyramid widths on DPN's residual path": (
        "dpn92",
        "    out:         {kind: geometric, start: 256, ratio: 2}",
        "    out:         {kind: additive, start: 256, alpha: 1792}",
    ),
    "dual join over ParNet's branch": (
        "parnet_s",
        "    block:   repvgg_sse",
        "    block:   repvgg_sse\n    shortcut: {join: dual, grow: 16}",
    ),
    "dual join over a basic branch": (
        "resnet18",
        "    shortcut: projection",
        "    shortcut: {join: dual, grow: [16, 32, 32, 64]}",
    ),
    "dense joins in a PyramidNet": (
        "pyramidnet110_a48",
        "    shortcut: {join: add, down: avg_pool, widen: zeros}",
        "    shortcut: {join: dense}",
    ),
    "ParNet with 1 stream": ("parnet_s", "    streams: 3", "    streams: 1"),
    "ParNet with 2 streams": ("parnet_s", "    streams: 3", "    streams: 2"),
    "ParNet with 4 streams": ("parnet_s", "    streams: 3", "    streams: 4"),
    "zero-padded shortcuts in a ResNeXt": (
        "resnext50_32x4d",
        "    shortcut:    projection",
        "    shortcut:    zero_pad",
    ),
}


def mixed(mixture: str) -> Net:
    """Change the one line, and see that it is one."""
    name, old, new = MIXTURES[mixture]
    text = (library("specs") / f"{name}.yaml").read_text()
    assert text.count(f"{old}\n") == 1
    changed = text.replace(f"{old}\n", f"{new}\n")
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
    base = archgen.load(MIXTURES[mixture][0])
    check(net.graph())
    assert net.digest() != base.digest()


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
    logits = model(torch.randn(2, net.input[0], side, side))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
