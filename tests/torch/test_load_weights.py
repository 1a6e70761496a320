"""Weights from elsewhere find their places by name, or it is said what does not fit."""

from __future__ import annotations

import os
import pickle
import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

import archgen
from archgen.errors import ArchError
from archgen.export.fit import COUNTER, fit, tensors
from archgen.export.names import NAMINGS
from archgen.nn.save import save
from archgen.nn.weights import read_weights
from archgen.spec import Net, load

pytestmark = pytest.mark.torch
Make = Callable[..., Net]
State = dict[str, Tensor]

STEM = "stem: {block: conv_pool, width: 8}"
STAGES = (
    "stages: {block: basic, depth: [1, 1], width: [8, 16], stride: [1, 2], shortcut: projection}"
)
HEAD = "head: {block: pool_linear, classes: 5}"


@pytest.fixture
def small(net: Make) -> Net:
    return net(STEM, STAGES, HEAD)


@pytest.fixture
def state(small: Net) -> State:
    """Weights of the small network under torchvision's names."""
    found = fit(small, {}).missing  # archgen's names
    from archgen.export.names import torchvision as names

    model = archgen.build(small)
    return {str(names.RESNET.theirs(name)): model.state_dict()[name].clone() for name in found}


@pytest.fixture
def file(state: State, tmp_path: Path) -> Path:
    torch.save(state, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def same(model: nn.Module, found: dict[str, str], state: State) -> bool:
    ours = model.state_dict()
    return bool(found) and all(
        torch.equal(ours[name], state[theirs].reshape(ours[name].shape).to(ours[name].dtype))
        for name, theirs in found.items()
    )


def refusal(net: Net, path: Path, **how: Any) -> str:
    with pytest.raises(ArchError) as caught:
        archgen.load_weights(net, path, **how)
    assert "\n" not in str(caught.value)
    assert caught.value.file == str(path)
    return caught.value.message


def test_the_page_on_weights_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text()
    monkeypatch.chdir(tmp_path)
    shared: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, shared)


# --- what a file holds ---------------------------------------------------------------------


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("wrap", "entry"),
    [
        (lambda s: s, ""),
        (lambda s: {"state_dict": s, "epoch": 3}, "state_dict"),
        (lambda s: {"model": s, "args": Namespace(lr=0.1)}, "model"),
        (lambda s: {"model": {"state_dict": s}, "best": 76.1}, "model.state_dict"),
        (lambda s: {"state_dict": prefixed("module.", s)}, "state_dict"),
        (lambda s: prefixed("_orig_mod.", s), ""),
        (lambda s: prefixed("_orig_mod.module.", s), ""),
        (lambda s: prefixed("module._orig_mod.", s), ""),
        (
            lambda s: {
                "state_dict": {name: tensor + 1 for name, tensor in s.items()},
                "state_dict_ema": s,
            },
            "state_dict_ema",
        ),
        (lambda s: {"state_dict": prefixed("model.backbone.", s)}, "state_dict"),
        (lambda s: prefixed("module.model.", s), ""),
        (lambda s: {"state_dict_ema": {}, "state_dict": s}, "state_dict"),
        (lambda s: {"ema": {"decay": 0.99}, "state_dict": s}, "state_dict"),
        (lambda s: {"model": {"ema": {"decay": 0.99}, "model": s}}, "model.model"),
    ],
)
def test_wrappers_are_understood(
    wrap: Callable[[State], Any], entry: str, small: Net, state: State, tmp_path: Path
) -> None:
    torch.save(wrap(state), tmp_path / "w.pth.tar")
    assert read_weights(tmp_path / "w.pth.tar").entry == entry
    loaded = archgen.load_weights(small, tmp_path / "w.pth.tar")
    assert loaded.fit.complete
    assert loaded.entry == entry
    assert same(loaded.model, loaded.fit.found, state)


def test_averaged_weights_of_torch_are_understood(small: Net, tmp_path: Path) -> None:
    model = archgen.build(small)
    torch.save(AveragedModel(model).state_dict(), tmp_path / "w.pth")
    loaded = archgen.load_weights(small, tmp_path / "w.pth")
    assert loaded.fit.naming.source == "archgen"
    assert same(loaded.model, loaded.fit.found, model.state_dict())


def test_files_of_older_versions_are_read(small: Net, state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert archgen.load_weights(small, tmp_path / "w.pth").fit.complete


def test_safetensors_of_others_are_read(small: Net, state: State, tmp_path: Path) -> None:
    save_file(prefixed("module.", state), tmp_path / "w.safetensors")
    assert archgen.load_weights(small, tmp_path / "w.safetensors").fit.complete


def test_archgens_own_names_are_left_alone(net: Make, tmp_path: Path) -> None:
    only = net("module: {block: pool_linear, classes: 5}")
    path, *_ = save(archgen.build(only), only, tmp_path)
    assert [*read_weights(path).tensors] == ["module.linear.bias", "module.linear.weight"]
    assert archgen.load_weights(only, path).fit.complete


# --- what becomes of the tensors -----------------------------------------------------------


def test_every_tensor_is_known_without_torch(families: dict[str, Net]) -> None:
    for name, net in families.items():
        wanted = {
            key: tuple(tensor.shape)
            for key, tensor in archgen.build(net, init=False).state_dict().items()
            if not key.endswith(COUNTER)
        }
        assert tensors(net.graph()) == wanted, name


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_no_digit_is_lost(
    given: torch.dtype, wanted: torch.dtype, small: Net, state: State, tmp_path: Path
) -> None:
    tensors = {name: tensor.to(given) for name, tensor in state.items()}
    torch.save(tensors, tmp_path / "w.pth")
    loaded = archgen.load_weights(small, tmp_path / "w.pth")
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {wanted}
    assert same(loaded.model, loaded.fit.found, tensors)
    image = torch.zeros(2, 3, 32, 32, dtype=wanted)
    assert loaded.model(image).isfinite().all()


def test_counters_come_along(small: Net, state: State, tmp_path: Path) -> None:
    state |= {f"{name[:-len('running_mean')]}{COUNTER}": torch.tensor(7)
              for name in state if name.endswith("running_mean")}  # fmt: skip
    torch.save(state, tmp_path / "w.pth")
    loaded = archgen.load_weights(small, tmp_path / "w.pth")
    assert loaded.fit.complete
    counters = [x for name, x in loaded.model.state_dict().items() if name.endswith(COUNTER)]
    assert counters
    assert {int(counter) for counter in counters} == {7}


def test_a_new_classifier(small: Net, file: Path, state: State) -> None:
    torch.manual_seed(1)
    loaded = archgen.load_weights(small, file, classes=7)
    assert loaded.fit.new == ("head.linear.weight", "head.linear.bias")
    assert loaded.fit.complete
    assert loaded.fit.net.graph().classes == 7
    assert same(loaded.model, loaded.fit.found, state)
    assert loaded.model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
    # Also where the number stays.
    again = archgen.load_weights(small, file, classes=5)
    assert again.fit.new == loaded.fit.new
    assert not torch.equal(again.model.head.linear.weight, state["fc.weight"])


def test_a_new_classifier_for_a_file_without_one(small: Net, state: State, tmp_path: Path) -> None:
    body = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    torch.save(body, tmp_path / "w.pth")
    assert archgen.load_weights(small, tmp_path / "w.pth", classes=7).fit.complete
    assert "the file lacks fc.weight (head.linear.weight)" in refusal(small, tmp_path / "w.pth")


def test_no_classifier_to_replace(net: Make, file: Path) -> None:
    with pytest.raises(ArchError, match="which has no classes"):
        archgen.load_weights(net(STEM, STAGES), file, classes=7)


# --- a network of maps ----------------------------------------------------------------------


def test_a_backbone_takes_the_file_of_the_whole_network(
    small: Net, file: Path, state: State
) -> None:
    backbone = archgen.load_weights(small.set({"outputs": ["stem", "stages.0"]}), file)
    assert backbone.fit.complete
    assert not backbone.fit.missing
    left = [name for name in state if name.startswith(("layer2.", "fc."))]
    assert backbone.fit.unused == dict.fromkeys(left, "no output needs them")
    assert sorted([*backbone.fit.found.values(), *left]) == sorted(state)
    assert same(backbone.model, backbone.fit.found, state)
    whole, stem = archgen.load_weights(small, file).model.eval(), torch.zeros(0)

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        nonlocal stem
        stem = output

    whole.stages[0][0].register_forward_hook(keep)
    x = torch.randn(2, 3, 32, 32)
    whole(x)
    assert torch.equal(backbone.model.eval()(x)[1], stem)


def test_a_backbone_takes_archgens_own_file(small: Net, tmp_path: Path) -> None:
    path, *_ = save(archgen.build(small), small, tmp_path)
    dense = small.set({"outputs": ["stages.1"], "output_stride": 4})
    assert set(archgen.load_weights(dense, path).fit.unused) == {
        "head.linear.weight",
        "head.linear.bias",
    }


def test_a_backbone_of_a_network_that_needs_its_outputs(net: Make, tmp_path: Path) -> None:
    """Without ``outputs``, or with one of them, nothing would read the other head."""
    two = net(
        STEM, HEAD.replace("head", "coarse"), f"fine: {{from: stem, {HEAD[7:]}",
        outputs="[coarse, fine]",
    )  # fmt: skip
    path, *_ = save(archgen.build(two), two, tmp_path)
    loaded = archgen.load_weights(two.set({"outputs": ["coarse"]}), path)
    assert set(loaded.fit.unused) == {"fine.linear.weight", "fine.linear.bias"}


def test_a_backbone_is_strict_about_the_rest(small: Net, state: State, tmp_path: Path) -> None:
    path, backbone = tmp_path / "w.pth", small.set({"outputs": ["stages.0"]})

    def said(**changed: Tensor) -> str:
        torch.save(state | {name.replace("__", "."): x for name, x in changed.items()}, path)
        return refusal(backbone, path)

    # Another head is one that nothing needs, another stage is another network's.
    torch.save(state | {"fc.weight": torch.zeros(9, 16), "fc.bias": torch.zeros(9)}, path)
    assert archgen.load_weights(backbone, path).fit.complete
    assert "; the network has no layer2.0.conv1.weight" in said(
        layer2__0__conv1__weight=torch.zeros(20, 8, 3, 3)
    )
    assert "; the network has no layer1.1.conv1.weight" in said(
        layer1__1__conv1__weight=torch.zeros(8, 8, 3, 3)
    )
    assert "; bn1.weight is [9], not [8]" in said(bn1__weight=torch.zeros(9))
    del state["bn1.bias"]
    assert "; the file lacks bn1.bias (stem.norm.bias)" in said()


@pytest.mark.parametrize("stem", ["resnet18", "drn_c_26", "repvgg_a0", "preresnet18", "dpn68"])
def test_the_whole_file_tells_whose_names_a_stem_has(stem: str) -> None:
    net = load(stem)
    if stem == "preresnet18":
        net = net.set({"stem": {"block": "bare_conv_pool", "width": 64}})
    outputs = [next(iter(net.nodes))]
    whole = tensors(net.graph())
    for naming in NAMINGS:
        names = {naming.theirs(name): shape for name, shape in whole.items()}
        if None not in names:
            found = fit(net.set({"outputs": outputs}), names)
            assert found.complete
            assert found.naming == naming


def test_old_spellings_of_densenet(tmp_path: Path) -> None:
    with torch.device("meta"):
        state = torchvision.models.densenet121().state_dict()
    old = {
        name.replace("norm1.", "norm.1.").replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.").replace("conv2.", "conv.2."): tuple(tensor.shape)
        for name, tensor in state.items()
    }  # fmt: skip
    assert "features.denseblock4.denselayer16.norm.1.running_var" in old
    found = fit(load("densenet121"), old)
    assert found.complete
    assert (
        found.found["stages.0.0.reduce.weight"] == "features.denseblock1.denselayer1.conv.1.weight"
    )


LIBRARY = [
    *[("torchvision", name, name) for name in (
        "resnet34", "resnet101", "resnet152", "resnext101_32x8d", "resnext101_64x4d",
        "wide_resnet101_2", "densenet161", "densenet169", "densenet201",
    )],
    *[("timm", name, name) for name in (
        "resnet50", "resnext50_32x4d", "resnext101_32x4d", "densenet121", "wide_resnet50_2",
        "dpn98", "dpn107", "repvgg_a1", "repvgg_a2", "repvgg_b0", "repvgg_b2g4", "repvgg_b3",
    )],
    *[("timm", f"resnetv2_{depth}", f"preresnet{depth}") for depth in (18, 34, 101, 152)],
]  # fmt: skip


@pytest.mark.parametrize(("library", "model", "spec"), LIBRARY, ids=lambda name: name)
def test_all_variants_fit(library: str, model: str, spec: str) -> None:
    module = pytest.importorskip(library)
    create = module.create_model if library == "timm" else module.models.get_model
    with torch.device("meta"):
        state = create(model).state_dict()
    net = load(spec)
    if spec.startswith("preresnet"):
        net = net.set({"stem": {"block": "bare_conv_pool", "width": 64}})
    assert fit(net, {name: tuple(tensor.shape) for name, tensor in state.items()}).complete


# --- what does not fit ---------------------------------------------------------------------


def test_missing_and_extra_tensors(small: Net, state: State, tmp_path: Path) -> None:
    state["more.weight"] = state.pop("layer2.0.conv2.weight")
    torch.save(state, tmp_path / "w.pth")
    assert refusal(small, tmp_path / "w.pth") == (
        "these weights do not fit tiny, read as torchvision's ResNet; "
        "--partial loads what fits; "
        "the file lacks layer2.0.conv2.weight (stages.1.0.conv2.weight); "
        "the network has no more.weight"
    )
    torch.manual_seed(0)
    loaded = archgen.load_weights(small, tmp_path / "w.pth", partial=True)
    assert loaded.fit.missing == {"stages.1.0.conv2.weight": "layer2.0.conv2.weight"}
    assert loaded.fit.unexpected == ("more.weight",)
    assert same(loaded.model, loaded.fit.found, state)
    fresh = loaded.model.state_dict()["stages.1.0.conv2.weight"]
    assert fresh.isfinite().all()
    assert 0.5 < fresh.std() / (2 / (16 * 9)) ** 0.5 < 1.5  # as the spec says


def test_tensors_of_another_shape(small: Net, state: State, tmp_path: Path) -> None:
    state["layer1.0.conv1.weight"] = torch.zeros(8, 8, 1, 1)
    torch.save(state, tmp_path / "w.pth")
    message = refusal(small, tmp_path / "w.pth")
    assert "; --partial loads what fits; layer1.0.conv1.weight is [8, 8, 1, 1], not " in message
    loaded = archgen.load_weights(small, tmp_path / "w.pth", partial=True)
    assert [misfit.ours for misfit in loaded.fit.misfits] == ["stages.0.0.conv1.weight"]


def test_a_classifier_for_other_classes(small: Net, file: Path) -> None:
    message = refusal(small.set({"head.classes": 9}), file)
    said = "; --classes 9 starts a new classifier, --set head.classes=5 takes theirs; fc.weight is "
    assert said in message


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("fc.weight", (5, 7)),
        ("fc.weight", ()),
        ("fc.weight", (0, 16)),
        ("layer1.0.bn1.weight", (8, 1)),
        ("conv1.weight", ()),
    ],
)
def test_shapes_that_no_advice_fits(
    small: Net, state: State, tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    state[name] = torch.zeros(shape)
    torch.save(state, tmp_path / "w.pth")
    message = refusal(small, tmp_path / "w.pth")
    assert f"{name} is {[*shape]}, not " in message
    assert "--classes" not in message
    assert "--set" not in message


def model_file(path: Path, create: Callable[[], nn.Module]) -> Path:
    with torch.device("meta"):
        state = create().state_dict()
    torch.save({name: torch.zeros(()).expand(x.shape) for name, x in state.items()}, path)
    return path


def test_another_depth_and_another_family(tmp_path: Path) -> None:
    resnet18 = model_file(tmp_path / "r.pth", torchvision.models.resnet18)
    for spec in ("resnet50", "densenet121", "parnet_s"):
        assert refusal(load(spec), resnet18).find("; they fit drn_a_18, resnet18") > 0, spec
    densenet = model_file(tmp_path / "d.pth", torchvision.models.densenet121)
    assert "; they fit densenet121; " in refusal(load("dpn68"), densenet)


def test_weights_that_nobody_knows(small: Net, tmp_path: Path) -> None:
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "w.pth")
    wanted = (
        "tiny has none of these weights; no network of the library has them; "
        "the file holds a.weight"
    )
    assert refusal(small, tmp_path / "w.pth") == wanted
    assert refusal(small, tmp_path / "w.pth", partial=True) == wanted


def test_a_stem_of_another_convention(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    path = model_file(tmp_path / "v2.pth", lambda: timm.create_model("resnetv2_50"))
    hint = "give --set 'stem={block: bare_conv_pool, width: 64}'"
    assert f"{hint}; " in refusal(load("preresnet50"), path)
    assert hint not in refusal(load("resnet50"), path)


def test_squeeze_and_excitation(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    path = model_file(tmp_path / "se.pth", lambda: timm.create_model("seresnext50_32x4d"))
    net = load("resnext50_32x4d")
    assert "; they squeeze and excite: give --set stages.se=16; " in refusal(net, path)
    assert archgen.load_weights(net.set({"stages.se": 16}), path).fit.complete


@pytest.mark.parametrize("convolution", ["rbr_reparam", "reparam_conv"])
def test_folded_weights(convolution: str, tmp_path: Path) -> None:
    stems = {"rbr_reparam": ("stage0", "linear"), "reparam_conv": ("stem", "head.fc")}
    block, linear = stems[convolution]
    state = {
        f"{block}.{convolution}.weight": torch.zeros(48, 3, 3, 3),
        f"{block}.{convolution}.bias": torch.zeros(48),
        f"{linear}.weight": torch.zeros(1000, 1280),
        f"{linear}.bias": torch.zeros(1000),
    }
    torch.save(state, tmp_path / "w.pth")
    message = refusal(load("repvgg_a0"), tmp_path / "w.pth")
    assert "; these weights are folded: the training form's are needed; " in message


# --- files that hold none ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_truncated_files(name: str, share: float, small: Net, state: State, tmp_path: Path) -> None:
    path = tmp_path / name
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert refusal(small, path).startswith("cannot read these weights: ")


def test_code_is_not_executed(small: Net, state: State, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"state_dict": state, "more": Evil()}, tmp_path / "w.pth")
    message = refusal(small, tmp_path / "w.pth")
    assert message == (
        "cannot read these weights: it holds posix.mkdir, which is not executed; "
        "save its state_dict alone"
    )
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil()))
    assert refusal(small, tmp_path / "plain.pth").startswith("cannot read these weights: ")
    assert not (tmp_path / "ran").exists()


def test_files_without_tensors(small: Net, tmp_path: Path) -> None:
    torch.save({"epoch": 3, "loss": 0.5, "who": "me"}, tmp_path / "w.pth")
    wanted = "holds no state_dict: tensors by name, only epoch, loss and 1 more"
    assert refusal(small, tmp_path / "w.pth") == wanted
    for key, shown in ((1, "1"), (torch.zeros(99), "Tensor"), (None, "NoneType")):
        torch.save({key: torch.zeros(3), "a": torch.zeros(3)}, tmp_path / "w.pth")
        wanted = f"holds no state_dict: tensors by name, only {shown}, a"
        assert refusal(small, tmp_path / "w.pth") == wanted
    itself: dict[str, Any] = {"state_dict_ema": {}}
    itself["model"] = itself["state_dict"] = itself
    torch.save(itself, tmp_path / "w.pth")
    wanted = "holds no state_dict: tensors by name, only state_dict_ema, model and 1 more"
    assert refusal(small, tmp_path / "w.pth") == wanted
    for empty in ({}, [], torch.zeros(3)):
        torch.save(empty, tmp_path / "w.pth")
        assert refusal(small, tmp_path / "w.pth") == "holds no state_dict: tensors by name"
    save_file({}, tmp_path / "w.safetensors")
    assert refusal(small, tmp_path / "w.safetensors") == "holds no state_dict: tensors by name"


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(8, dtype=torch.int8),
        torch.zeros(8).to_sparse(),
        torch.zeros(8).to(torch.cfloat),
        torch.zeros(8).to(torch.float8_e4m3fn),
        torch.zeros(8, device="meta"),
    ],
    ids=["int8", "sparse", "complex", "float8", "meta"],
)
def test_tensors_of_another_kind(tensor: Tensor, small: Net, state: State, tmp_path: Path) -> None:
    state["bn1.weight"] = tensor
    torch.save(state, tmp_path / "w.pth")
    message = refusal(small, tmp_path / "w.pth")
    assert message.startswith("bn1.weight is no plain tensor of floating-point numbers (")


@pytest.mark.parametrize("name", ["F8_E4M3", "F8_E5M2", "F8_E8M0", "F4"])
def test_narrow_numbers_in_safetensors(name: str, small: Net, state: State, tmp_path: Path) -> None:
    """They mean nothing without the scales beside them."""
    path = tmp_path / "w.safetensors"
    save_file(state | {"bn1.weight": torch.zeros(8, dtype=torch.uint8)}, path)
    content = path.read_bytes()
    count = 2 if name == "F4" else 1  # of numbers a byte
    old = b'"bn1.weight":{"dtype":"U8","shape":[8]'
    new = f'"bn1.weight":{{"dtype":"{name}","shape":[{8 * count}]'.encode()
    assert old in content
    header = int.from_bytes(content[:8], "little") + len(new) - len(old)
    path.write_bytes(header.to_bytes(8, "little") + content[8:].replace(old, new))
    message = refusal(small, path)
    assert message.startswith("bn1.weight is no plain tensor of floating-point numbers (float")


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype")
def test_tensors_of_tensors(small: Net, tmp_path: Path) -> None:
    for layout in (torch.strided, torch.jagged):
        nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=layout)
        torch.save({"bn1.weight": nested}, tmp_path / "w.pth")
        wanted = "holds no state_dict: tensors by name, only bn1.weight"
        assert refusal(small, tmp_path / "w.pth") == wanted


@pytest.mark.parametrize(
    ("counter", "said"),
    [
        (torch.zeros(3, dtype=torch.long), "is [3], not []"),
        (torch.zeros(0, dtype=torch.long), "is [0], not []"),
        (torch.zeros(()).to(torch.cfloat), "is no plain tensor of numbers (complex64, "),
        (torch.zeros((), device="meta"), "is no plain tensor of numbers (float32, strided, meta)"),
    ],
)
def test_counters_that_are_none(
    counter: Tensor, said: str, small: Net, state: State, tmp_path: Path
) -> None:
    torch.save(state | {f"bn1.{COUNTER}": counter}, tmp_path / "w.pth")
    message = refusal(small, tmp_path / "w.pth")
    assert message.startswith(f"bn1.{COUNTER} {said}")


def test_a_tensor_without_a_name_is_nobodys(small: Net, state: State, tmp_path: Path) -> None:
    torch.save(state | {"": torch.zeros(3)}, tmp_path / "w.pth")
    loaded = archgen.load_weights(small, tmp_path / "w.pth", partial=True)
    assert loaded.fit.unexpected == ("",)
    assert same(loaded.model, loaded.fit.found, state)
