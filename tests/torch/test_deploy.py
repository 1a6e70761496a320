"""Deploy forms give what the networks give, to 1e-9 in float64, and are plain modules."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import archgen
from archgen import ArchError, files
from archgen.codegen import source
from archgen.graph import Builder, Map, add
from archgen.nn.folding import deploy_form, difference, folded_module
from archgen.nn.module import compiled, empty
from archgen.nn.save import save, save_deployed
from archgen.nn.verify import verify, verify_deployed
from archgen.nn.weights import read_weights
from archgen.ops import Conv, DilatedPool, Pool
from archgen.passes.fold import fold
from archgen.spec import Net, load

pytestmark = pytest.mark.torch


def lively(model: nn.Module) -> nn.Module:
    """Give all norms random numbers, in float64, and switch to evaluation."""
    model = model.double().eval()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)
            if norm.affine:
                nn.init.uniform_(norm.weight, -1.5, 1.5)
                nn.init.normal_(norm.bias)
    return model


def tensors(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


@torch.no_grad()
def distance(model: nn.Module, deployed: nn.Module, *image: int) -> float:
    """Give the largest relative difference between the outputs of two modules."""
    x = torch.randn(*image, dtype=torch.float64)
    pairs = zip(tensors(model(x)), tensors(deployed(x)), strict=True)
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)


# --- the numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_gives_the_same_when_folded(name: str):
    net = archgen.load(name)
    model = lively(archgen.build(net))
    channels, side, _ = net.input
    assert distance(model, archgen.deploy(model), 1, channels, min(side, 64), min(side, 64)) < 1e-9


def test_a_dense_parnet_gives_the_same_when_folded():
    net = archgen.load("parnet_digits").set({"output_stride": 1})
    model = lively(archgen.build(net))
    assert distance(model, archgen.deploy(model), 2, *net.input) < 1e-12


def test_families_give_the_same_when_folded(family: Net, wired_as: Callable[..., bool]):
    model = lively(archgen.build(family))
    deployed = archgen.deploy(model)
    assert distance(model, deployed, 3, *family.input) < 1e-12
    graph = deploy_form(family).graph
    assert wired_as(deployed, graph, torch.randn(2, *family.input, dtype=torch.float64))
    assert {n: tuple(p.shape) for n, p in deployed.named_parameters()} == {
        name: shape for name, _, shape in graph.params()
    }
    assert verify(deployed, graph).agrees


def large(x: Map, **options: int) -> Map:
    return x.conv("main", 8, **{"kernel": 3, **options}).norm("main_norm")


@pytest.mark.parametrize(
    "use",
    [
        lambda x: large(x) + x.conv("point", 8).norm("n"),
        lambda x: add([large(x), x.norm("n", affine=False), x, x]),
        lambda x: add([large(x, groups=4), x.conv("point", 8, groups=4), x, x.norm("n")]),
        lambda x: large(x, groups=2) + x.conv("point", 8, groups=8),
        lambda x: large(x, groups=2) + x.conv("point", 8, groups=4, bias=True),
        lambda x: large(x, groups=8) + x.norm("n"),
        lambda x: add([x.conv("narrow", 8, groups=2), x, x.conv("wide", 8)]),
        lambda x: large(x, dilation=3) + x.conv("point", 8),
        lambda x: large(x, kernel=5) + x.conv("small", 8, 3).norm("n"),
        lambda x: large(x, kernel=5) + x.conv("small", 8, 3, dilation=2),
        lambda x: large(x, kernel=1) + x,
        lambda x: large(x, stride=2) + x.conv("point", 8, stride=2),
        lambda x: large(x, stride=2) + x.avg_pool(2, 2).conv("point", 8).norm("n"),
        lambda x: large(x, stride=2) + x.avg_pool(2, 2).conv("point", 8, groups=2),
        lambda x: large(x) + x.builder.add("p", Pool("avg", 3, 1, 1), x).conv("point", 8),
        lambda x: large(x, stride=2) + x.avg_pool(2, 2),
        lambda x: large(x) + x.builder.add("p", DilatedPool(2), x).conv("point", 8),
        lambda x: (
            large(x, dilation=2, stride=2)
            + x.builder.add("p", DilatedPool(2, 2, dilation=2), x).conv("point", 8).norm("n")
        ),
        lambda x: (large(x) + x.conv("point", 8)).norm("last", 0.1).act(),
        lambda x: x.conv("c", 8, 3, bias=True).norm("n1").dropout("d", 0.5).norm("n2"),
        lambda x: (
            x.builder.add("c", Conv(8, 8, 4, stride=2, padding=1), x)
            + x.builder.add("b", Conv(8, 8, 2, stride=2), x)
        ),
    ],
)
def test_each_rule_is_exact(use: Callable[[Map], Map]):
    builder = Builder((8, 10, 10))
    graph = builder.graph("hand", [use(builder.input)])
    model = lively(empty(compiled(source(graph), "hand")))
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    folded = fold(graph)
    assert sum(isinstance(call.op, Conv) for call in folded.graph.calls) == 1
    assert len(folded.graph.calls) <= 3
    deployed = folded_module(folded, model.state_dict())
    assert distance(model, deployed, 2, 8, 10, 10) < 1e-13


def test_a_unit_of_a_list_that_folds_away_leaves_a_gap():
    builder = Builder((8, 5, 5))
    x = builder.input
    with builder.scope("units"):
        for number, write in enumerate(
            [lambda x: x.conv("conv", 8, 3), lambda x: x.norm("norm"), lambda x: x.act()]
        ):
            with builder.scope(str(number), "unit"):
                x = write(x)
    graph = builder.graph("hand", [x])
    model = lively(empty(compiled(source(graph), "hand")))
    nn.init.normal_(model.units[0].conv.weight)
    deployed = folded_module(fold(graph), model.state_dict())
    assert [type(unit) for unit in deployed.units][1] is nn.Identity
    assert list(deployed.state_dict()) == ["units.0.conv.weight", "units.0.conv.bias"]
    assert distance(model, deployed, 2, 8, 5, 5) < 1e-13


def test_the_difference_is_what_it_says(family: Net):
    model = archgen.build(family)
    before = copy.deepcopy(model.state_dict())
    assert 0 < difference(model) < 1e-12
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_wrong_recipe_is_found_out(families: dict[str, Net], monkeypatch: pytest.MonkeyPatch):
    from archgen.nn import folding

    monkeypatch.setattr(folding, "_placed", lambda weight, into, at: torch.zeros(()))
    net = families["repvgg"]
    model = archgen.build(net)
    verdict = verify_deployed(archgen.deploy(model), deploy_form(net).graph, model)
    assert [check.what for check in verdict.checks if not check.agrees] == ["difference"]


# --- the module -----------------------------------------------------------------------------


def test_the_model_stays_as_it_was(families: dict[str, Net]):
    model = archgen.build(families["parnet"])
    before = copy.deepcopy(model.state_dict())
    deployed = archgen.deploy(model)
    for tensor in deployed.state_dict().values():
        tensor.zero_()
    assert model.training
    assert not any(module.training for module in deployed.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_it_keeps_the_dtype_and_folds_in_float64(dtype: torch.dtype, families: dict[str, Net]):
    model = lively(archgen.build(families["resnet"]))
    exact = archgen.deploy(model)
    model = model.to(dtype)
    deployed = archgen.deploy(model)
    assert {p.dtype for p in deployed.parameters()} == {dtype}
    again = archgen.deploy(copy.deepcopy(model).double()).to(dtype)
    for name, value in deployed.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
        wanted = exact.state_dict()[name]
        near = 4 * torch.finfo(dtype).eps
        torch.testing.assert_close(value.double(), wanted, rtol=0, atol=near * wanted.abs().max())


def test_it_keeps_the_memory_format(families: dict[str, Net]):
    model = archgen.build(families["repvgg"]).to(memory_format=torch.channels_last)
    for name, tensor in archgen.deploy(model).state_dict().items():
        if tensor.dim() == 4:
            assert tensor.is_contiguous(memory_format=torch.channels_last), name


def test_it_takes_gradients_and_survives_copies_and_pickles(families: dict[str, Net]):
    model = archgen.build(families["parnet"])
    deployed = archgen.deploy(model)
    x = torch.randn(2, 3, 16, 16)
    for again in (copy.deepcopy(deployed), pickle.loads(pickle.dumps(deployed))):
        assert torch.equal(again(x), deployed(x))
        assert type(again) is type(deployed)
    deployed(x).square().sum().backward()
    assert all(p.grad is not None for p in deployed.parameters())


def test_what_was_pickled_or_copied_still_knows_its_spec(families: dict[str, Net]):
    model = lively(archgen.build(families["repvgg"]))
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert distance(model, archgen.deploy(again), 2, 3, 16, 16) < 1e-12


def test_names_stay(families: dict[str, Net]):
    deployed = archgen.deploy(archgen.build(families["repvgg"]))
    assert list(deployed.state_dict())[:4] == [
        "stages.0.0.spatial.weight",
        "stages.0.0.spatial.bias",
        "stages.0.1.spatial.weight",
        "stages.0.1.spatial.bias",
    ]
    assert type(deployed).__name__ == "RepvggDeploy"
    assert len(deployed.stages[1]) == 3


def test_what_cannot_be_deployed_is_one_line(families: dict[str, Net]):
    model = archgen.build(families["resnet"])
    with pytest.raises(
        ArchError, match=r"^this needs a network that archgen.build made, not a Lin"
    ):
        archgen.deploy(nn.Linear(2, 2))
    with pytest.raises(ArchError, match=r"archgen.build made, not a part of resnet$"):
        archgen.deploy(model.stem)
    with pytest.raises(ArchError, match=r"^resnet_deploy: this is a deploy form already"):
        archgen.deploy(archgen.deploy(model))
    with torch.device("meta"):
        hollow = archgen.build(families["resnet"])
    with pytest.raises(ArchError, match=r"^resnet: this is on the meta device"):
        archgen.deploy(hollow)
    model.head.linear = nn.Linear(32, 7)
    message = r"^resnet: head.linear.bias is not what the spec says; change the spec, not the"
    with pytest.raises(ArchError, match=message):
        archgen.deploy(model)


CHANGES: dict[str, Callable[[nn.Module], object]] = {
    r"stages.0.0.norm1.eps is 0.5, not 1e-05; change the spec, not the built network$": (
        lambda model: setattr(model.stages[0][0].norm1, "eps", 0.5)
    ),
    r"stages.1.0.conv1.stride is \(1, 1\), not \(2, 2\); change": (
        lambda model: setattr(model.stages[1][0].conv1, "stride", (1, 1))
    ),
    r"stages.0.0.conv2.dilation is \(2, 2\), not \(1, 1\); change": (
        lambda model: setattr(model.stages[0][0].conv2, "dilation", (2, 2))
    ),
    r"stem.conv.padding_mode is reflect, not zeros; change": (
        lambda model: setattr(model.stem.conv, "padding_mode", "reflect")
    ),
    r"stages.0.1 has another forward; change": (
        lambda model: setattr(model.stages[0][1], "forward", lambda x: x)
    ),
    r"stages.0.2 is not what the spec says; change": (
        lambda model: model.stages[0].append(nn.ReLU())
    ),
    r"stem.norm is a _Unscaled, not a BatchNorm2d; change": (
        lambda model: setattr(model.stem, "norm", _Unscaled(8))
    ),
    r"stages.0.1 has a forward hook, which a deploy form would lose; remove it before$": (
        lambda model: model.stages[0][1].register_forward_hook(lambda *_: None)
    ),
    r"head has a forward hook, which": (
        lambda model: model.head.register_forward_pre_hook(lambda *_: None)
    ),
    r"the network has a forward hook, which": (
        lambda model: model.register_forward_hook(lambda *_: None)
    ),
}


class _Unscaled(nn.BatchNorm2d):
    """A norm that computes something else under the same names and numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return x - self.running_mean[:, None, None]


@pytest.mark.parametrize("told", CHANGES)
def test_a_network_that_computes_something_else_is_refused(told: str, families: dict[str, Net]):
    model = archgen.build(families["resnet_option_a"])
    archgen.deploy(model)
    CHANGES[told](model)
    with pytest.raises(ArchError, match=f"^resnet_option_a: {told}"):
        archgen.deploy(model)


def test_a_number_of_the_forward_is_compared_too(families: dict[str, Net]):
    model = archgen.build(families["pyramidnet"])
    model.stages[0][1].after = 5
    with pytest.raises(ArchError, match=r"^pyramidnet: stages\.0\.1\.after is 5, not 6; change"):
        archgen.deploy(model)


def test_what_is_of_training_alone_may_be_changed(families: dict[str, Net]):
    model = lively(archgen.build(families["preresnet"]))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum, module.track_running_stats = None, False
        if isinstance(module, nn.Dropout):
            module.p = 0.1
    model.register_full_backward_hook(lambda *_: None)
    model.note = "trained twice"
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert any(isinstance(module, nn.SyncBatchNorm) for module in model.modules())
    assert distance(model, archgen.deploy(model), 2, 3, 16, 16) < 1e-12


def test_what_is_frozen_stays_frozen(families: dict[str, Net]):
    """A folded kernel, if all that it is made of is."""
    model = archgen.build(families["repvgg"])
    assert all(p.requires_grad for p in archgen.deploy(model).parameters())
    model.requires_grad_(False)
    model.stages[1][2].requires_grad_(True)
    model.stages[0][0].pointwise_norm.bias.requires_grad_(True)
    trained = [n for n, p in archgen.deploy(model).named_parameters() if p.requires_grad]
    assert trained == [
        f"stages.{unit}.spatial.{suffix}"
        for unit in ("0.0", "1.2")
        for suffix in ("weight", "bias")
    ]
    model.requires_grad_(True)
    model.head.linear.weight.requires_grad_(False)
    frozen = [n for n, p in archgen.deploy(model).named_parameters() if not p.requires_grad]
    assert frozen == ["head.linear.weight"]


def test_two_names_of_one_tensor(families: dict[str, Net], tmp_path: Path):
    model = archgen.build(families["resnet_option_a"]).double().eval()
    unit = model.stages[0][0]
    unit.conv2.weight = unit.conv1.weight
    assert distance(model, archgen.deploy(model), 2, 3, 16, 16) < 1e-12
    save(model, families["resnet_option_a"], tmp_path)
    again = read_weights(tmp_path / "resnet_option_a.safetensors").tensors
    torch.testing.assert_close(again["stages.0.0.conv2.weight"], unit.conv1.weight.detach())


def test_equal_text_of_other_specs_is_another_class(families: dict[str, Net]):
    net = families["resnet"]
    other = archgen.build(net.set({"init.conv": "he_fan_in"}))
    assert archgen.source(net) == archgen.source(net.set({"init.conv": "he_fan_in"}))
    assert type(other) is not type(archgen.build(net))


def test_saved_files_are_the_deploy_form(families: dict[str, Net], tmp_path: Path):
    net = families["parnet"]
    deployed = archgen.deploy(archgen.build(net))
    written = save_deployed(deployed, net, tmp_path / "new", metadata={"data": "digits"})
    ends = ("safetensors", "py", "yaml")
    assert [path.name for path in written] == [f"parnet_deploy.{end}" for end in ends]
    read = read_weights(written[0])
    assert read.folded
    assert read.metadata["data"] == "digits"
    assert load(written[2]) == net
    space: dict[str, type[nn.Module]] = {}
    exec(written[1].read_text(), space)
    loaded = space["ParnetDeploy"]().eval()
    loaded.load_state_dict(load_file(written[0]), strict=True)
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(loaded(x), deployed(x))
