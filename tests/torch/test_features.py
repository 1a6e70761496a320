"""Networks of feature maps: ``outputs`` and ``feature_info``, beside timm's ``features_only``."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archgen
from archgen.spec import Net

pytestmark = pytest.mark.torch

STAGES = [f"stages.{stage}" for stage in range(4)]


def named(info: Any) -> list[tuple[str, int, int]]:
    return list(zip(info.module_name(), info.channels(), info.reduction(), strict=True))


def test_it_describes_what_is_returned():
    net = archgen.load("dpn68").set({"input": [3, 64, 64], "output_stride": 16})
    model = archgen.build(net, outputs=["stages.3", "stem", "stages.1"])
    info = model.feature_info
    assert named(info) == [("stages.3", 832, 16), ("stem", 10, 4), ("stages.1", 320, 8)]
    for each, y in zip(info, model(torch.zeros(2, 3, 64, 64)), strict=True):
        assert y.shape == (2, each["num_chs"], *[64 // each["reduction"]] * 2)
        assert model.get_submodule(each["module"])
    assert info[-1] == {"module": "stages.1", "num_chs": 320, "reduction": 8}
    assert len(info[:2]) == 2


def test_it_takes_indices_as_timms_does():
    timm = pytest.importorskip("timm", reason="a peer of the [dev] extra")
    net = archgen.load("resnet50")
    info = archgen.build(net, outputs=["stem", *STAGES], init=False).feature_info
    described = [{**each, "index": place} for place, each in enumerate(info)]
    peer = timm.models.FeatureInfo(described, out_indices=tuple(range(5)))
    for idx in (None, 0, -1, [1, 3], (4,), []):
        for method in ("channels", "reduction", "module_name"):
            assert getattr(info, method)(idx) == getattr(peer, method)(idx)
        assert info.get("num_chs", idx) == peer.get("num_chs", idx)
        keys = ["module", "reduction"]
        assert info.get_dicts(keys, idx) == peer.get_dicts(keys, idx)
    assert info.get_dicts() == list(info)
    assert info.get_dicts(idx=2) == info[2]


def test_the_page_on_dense_maps_runs():
    page = (Path(__file__).parents[2] / "docs" / "dense_maps.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    exec(block, {})


def test_outputs_are_the_specs_own():
    net = archgen.load("resnet20_cifar")
    model = archgen.build(net, outputs=["stages.1"])
    same = net.set({"outputs": ["stages.1"]})
    assert model.state_dict().keys() == archgen.build(same, init=False).state_dict().keys()
    assert not [name for name in model.state_dict() if name.startswith(("stages.2", "head"))]
    with pytest.raises(archgen.ArchError, match=r"^outputs: nothing called 'stages\.7'; there are"):
        archgen.build(net, outputs=["stages.7"])
    assert net.outputs is None
    with pytest.raises(
        archgen.ArchError, match=r"^outputs: this is a list of names: \['stages\.1'\]"
    ):
        archgen.build(net, outputs="stages.1")


def test_only_networks_of_maps_have_it(net):
    classifier = archgen.load("resnet20_cifar")
    assert not hasattr(archgen.build(classifier, init=False), "feature_info")
    mixed = archgen.build(classifier, outputs=["stages.1", "head"], init=False)
    assert not hasattr(mixed, "feature_info")
    headless = net("stem: {block: conv, width: 4}", "last: {block: conv, width: 6, stride: 2}")
    assert named(archgen.build(headless).feature_info) == [("last", 6, 2)]


def test_streams_are_maps_as_well():
    model = archgen.build(archgen.load("parnet_s"), outputs=["at4", "body.at8", "body"], init=False)
    assert named(model.feature_info) == [("at4", 92, 4), ("body.at8", 192, 8), ("body", 384, 16)]


def test_it_survives_copies_files_and_folding():
    model = archgen.build(archgen.load("resnet20_cifar"), outputs=["stages.0", "stages.2"])
    again = pickle.loads(pickle.dumps(model))
    for other in (copy.deepcopy(model), again, model.double(), archgen.deploy(model)):
        assert named(other.feature_info) == [("stages.0", 16, 1), ("stages.2", 64, 4)]


@pytest.mark.parametrize(
    ("name", "options", "same"),
    [
        ("resnet50", {}, 4),
        ("resnet50", {"output_stride": 8}, 4),
        ("dpn68", {}, 4),
        # timm's last map of a DenseNet is behind the norm that our head has.
        ("densenet121", {}, 3),
    ],
)
def test_maps_are_timms(
    name: str,
    options: dict[str, int],
    same: int,
    random_state: Callable[[nn.Module], dict[str, Tensor]],
    tmp_path: Path,
):
    """Names aside, timm says the same of the same maps; its stem's is the one before the pool."""
    timm = pytest.importorskip("timm", reason="a peer of the [dev] extra")
    peer = timm.create_model(name, features_only=True, out_indices=(1, 2, 3, 4), **options)
    peer.double().eval()
    with torch.device("meta"):
        whole = timm.create_model(name)
    state = random_state(whole)
    torch.save(state, tmp_path / "w.pth")
    # timm's networks of maps are flat, and lack what stands behind the last.
    flat = {key.replace("features.", "features_"): tensor for key, tensor in state.items()}
    peer.load_state_dict({key: flat[key] for key in peer.state_dict()})
    net = archgen.load(name).set({"input": [3, 64, 64], "outputs": STAGES, **options})
    model = archgen.load_weights(net, tmp_path / "w.pth").model.eval()
    assert model.feature_info.channels() == peer.feature_info.channels()
    assert model.feature_info.reduction() == peer.feature_info.reduction()
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        pairs: list[tuple[Tensor, Tensor]] = list(zip(model(x), peer(x), strict=True))
    for ours, other in pairs[:same]:
        assert (ours - other).abs().max() < 1e-12 * other.abs().max()


def test_every_family_gives_its_maps(families: dict[str, Net]):
    for net in families.values():
        nodes = [name for name in net.nodes if name != "head"]
        model = archgen.build(net.set({"outputs": nodes}))
        y = model(torch.zeros(2, *net.input))
        maps = y if isinstance(y, tuple) else (y,)
        assert [out.shape[1] for out in maps] == model.feature_info.channels()
        sides = [net.input[1] // out.shape[2] for out in maps]
        assert sides == model.feature_info.reduction()
