"""Built modules: plain PyTorch in every respect that users rely on."""

from __future__ import annotations

import copy
import inspect
import io
import json
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest
import torch
from torch import Tensor, fx, nn

import archgen
from archgen.ops import size
from archgen.spec import Net, parse

pytestmark = pytest.mark.torch


def image(net: Net, batch: int = 2) -> Tensor:
    return torch.randn(batch, *net.input)


def tensors(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def equal(first: Tensor | tuple[Tensor, ...], second: Tensor | tuple[Tensor, ...]) -> bool:
    return all(map(torch.equal, tensors(first), tensors(second)))


def python(code: str, cwd: Path) -> str:
    """Run code in a process of its own, warnings as errors; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- it is what the graph says -------------------------------------------------------------


def test_names_shapes_and_outputs_are_the_graphs(family: Net):
    model, graph = archgen.build(family), family.graph()
    assert {n: tuple(p.shape) for n, p in model.named_parameters()} == {
        name: shape for name, _, shape in graph.params()
    }
    outs = tensors(model(image(family)))
    assert [tuple(out.shape[1:]) for out in outs] == [graph.calls[i].shape for i in graph.outputs]
    assert model.training
    assert all(p.dtype == torch.float32 and p.requires_grad for p in model.parameters())


def test_the_text_computes_the_graph(family: Net, wired_as: Callable[..., bool]):
    """fx traces one node an operation, with the same edges and shapes."""
    assert wired_as(archgen.build(family).eval(), family.graph(), image(family))


@pytest.mark.parametrize("name", ["resnet18", "dpn68b", "dsnet20_cifar", "parnet_s_cifar"])
def test_state_dict_keys_are_the_golden_ones(name: str):
    with torch.device("meta"):
        model = archgen.build(archgen.load(name), init=False)
    lines = sorted(f"{key} {size(tuple(t.shape))}" for key, t in model.state_dict().items())
    golden = json.loads((Path(__file__).parent.parent / "golden" / "keys.json").read_text())
    digest = blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()
    assert (len(lines), digest) == (golden[name]["entries"], golden[name]["hash"])


def test_attributes_follow_the_paths_of_the_spec(families: dict[str, Net]):
    model = archgen.build(families["resnet"])
    assert model.stages[1][0].spatial.stride == (2, 2)
    assert model.stages[1][0].shortcut.conv.out_channels == 32
    assert len(model.stages) == 2
    assert len(model.stages[0]) == 2
    assert len(model.stages[:1]) == 1
    assert [name for name, _ in model.named_children()] == ["stem", "stages", "head"]
    assert all(type(m).__name__.startswith("Bottleneck") for m in model.stages[0])
    model = archgen.build(families["parnet"])
    assert model.body.at4[1].spatial.in_channels == 12
    assert model.body.at8_fuse.gate.groups == 2


def test_names_of_modules_are_guarded_by_the_spec():
    own = {name for name in dir(nn.Module()) if name.islower() and not name.startswith("_")}
    assert own - archgen.spec.names.MODULE_ATTRIBUTES == set()


def test_it_is_a_plain_module(family: Net):
    model = archgen.build(family)
    assert isinstance(model, nn.Module)
    for module in model.modules():
        bases = type(module).__mro__[1:]
        assert all(base is object or base.__module__.startswith("torch.nn") for base in bases)


# --- it survives what people do to modules ---------------------------------------------------


def test_copies_and_files_give_the_same_results(family: Net):
    model = archgen.build(family).eval()
    x = image(family)
    wanted = model(x)
    assert equal(copy.deepcopy(model)(x), wanted)
    assert equal(pickle.loads(pickle.dumps(model))(x), wanted)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    assert equal(torch.load(file, weights_only=False)(x), wanted)

    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    empty = archgen.build(family, init=False).eval()
    assert empty.load_state_dict(torch.load(file, weights_only=True)).missing_keys == []
    assert equal(empty(x), wanted)


def test_pickles_load_in_another_process(tmp_path: Path, families: dict[str, Net]):
    for name in ("dsnet", "parnet"):
        model = archgen.build(families[name]).double().eval()
        model.note = name
        model.head.train()
        x = image(families[name]).double()
        saved = {"model": model, "x": x, "y": model(x)}
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(saved))
    code = """
import pathlib, pickle, torch
for name in ("dsnet", "parnet"):
    saved = pickle.loads(pathlib.Path(f"{name}.pkl").read_bytes())
    model = saved["model"]
    assert torch.equal(model(saved["x"]), saved["y"])
    assert (model.training, model.head.training) == (False, True)
    assert next(model.parameters()).dtype == torch.float64
    assert model.note == name
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is type(model) and type(again.head) is type(model.head)
print("equal")
"""
    assert python(code, tmp_path) == "equal\n"


def test_the_written_source_imports_alone(tmp_path: Path, families: dict[str, Net]):
    for name, net in families.items():
        (tmp_path / f"{name}.py").write_text(archgen.source(net))
    torch.save(archgen.build(families["dpn"]).state_dict(), tmp_path / "dpn.pt")
    code = f"""
import sys
sys.modules["archgen"] = None
sys.path.insert(0, "")
import importlib, torch
for name in {list(families)}:
    module = importlib.import_module(name)
    cls = "".join(part.capitalize() for part in name.split("_"))
    getattr(module, cls)().eval()(torch.zeros(1, 3, 16, 16))
import dpn
model = dpn.Dpn()
model.load_state_dict(torch.load("dpn.pt"), strict=True)
print("alone")
"""
    assert python(code, tmp_path) == "alone\n"


def test_flags_and_dtypes_survive_pickling(families: dict[str, Net]):
    model = archgen.build(families["dpn"]).to(torch.float64)
    model.stages[0].eval()
    model.stem.requires_grad_(False)
    again = pickle.loads(pickle.dumps(model))
    assert [m.training for m in again.modules()] == [m.training for m in model.modules()]
    assert {p.dtype for p in again.parameters()} == {torch.float64}
    wanted = [p.requires_grad for p in model.parameters()]
    assert [p.requires_grad for p in again.parameters()] == wanted
    assert all(type(a) is type(b) for a, b in zip(again.modules(), model.modules(), strict=True))


def test_equal_sources_share_their_classes(families: dict[str, Net]):
    net = families["resnet"]
    first, second = archgen.build(net), archgen.build(parse(net.dump()))
    assert type(first) is type(second)
    other = archgen.build(net.set({"head.classes": 7}))
    assert type(other) is not type(first)


# --- training ----------------------------------------------------------------------------------


def test_gradients_reach_every_weight(family: Net):
    model = archgen.build(family)
    sum(out.square().mean() for out in tensors(model(image(family, 4)))).backward()
    for name, param in model.named_parameters():
        assert param.grad is not None, name
        assert param.grad.isfinite().all(), name


def test_work_in_place_changes_nothing(family: Net):
    """Outputs, gradients and running statistics equal those of the text without `inplace`."""
    text = archgen.source(family)
    assert "inplace=True" in text or family.name in ("parnet",)
    model = archgen.build(family).double()
    space: dict[str, type[nn.Module]] = {}
    exec(text.replace(", inplace=True", ""), space)
    plain = space[type(model).__name__]().double()
    plain.load_state_dict(model.state_dict())
    x = image(family, 4).double()
    results = []
    for each in (model, plain):
        torch.manual_seed(1)
        given = x.clone().requires_grad_()
        outs = tensors(each(given))
        sum(out.square().sum() for out in outs).backward()
        assert torch.equal(given, x)
        grads = [p.grad for p in each.parameters()]
        results.append([*outs, given.grad, *grads, *each.buffers()])
    for ours, wanted in zip(*results, strict=True):
        # Not always equal to the last bit: ELU in place takes its gradient from its result.
        torch.testing.assert_close(ours, wanted, rtol=1e-12, atol=1e-12)


def test_hooks_fire_where_the_paths_say(families: dict[str, Net]):
    model = archgen.build(families["dsnet"])
    fired = []
    for path in ("stages.0.0", "stages.0", "stages.1.1.dense", "head"):
        module = model.get_submodule(path)
        module.register_forward_hook(lambda m, i, o, path=path: fired.append(path))
    model.stages[0][0].register_full_backward_hook(lambda m, i, o: fired.append("backward"))
    model(image(families["dsnet"])).sum().backward()
    assert fired == ["stages.0.0", "stages.0", "stages.1.1.dense", "head", "backward"]


def test_a_traceback_shows_the_generated_line(families: dict[str, Net]):
    model = archgen.build(families["resnet"])
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(1, 4, 16, 16))
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "<archgen resnet ' in text
    assert "self.norm(self.conv(x))" in text
    assert "self.conv" in inspect.getsource(type(model.stem).forward)


# --- ways to build ----------------------------------------------------------------------------


def test_without_initialisation_it_only_waits_for_weights(families: dict[str, Net]):
    net = families["dsnet"]
    model, empty = archgen.build(net), archgen.build(net, init=False)
    empty.load_state_dict(model.state_dict())
    x = image(net)
    assert torch.equal(model(x), empty(x))


def test_it_builds_without_storage_and_in_any_dtype(family: Net):
    with torch.device("meta"):
        model = archgen.build(family)
    assert {p.device.type for p in model.parameters()} == {"meta"}
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        assert {p.dtype for p in archgen.build(family).parameters()} == {torch.float64}
    finally:
        torch.set_default_dtype(before)


def test_building_leaves_nothing_behind(families: dict[str, Net]):
    archgen.build(families["resnet"], init=False)
    assert nn.Linear(3, 3).weight.abs().sum() > 0
    assert torch.equal(nn.BatchNorm2d(3).weight, torch.ones(3))
    assert torch.equal(torch.empty(3).fill_(2.0), torch.full((3,), 2.0))


def test_it_exports_with_a_dynamic_batch(families: dict[str, Net]):
    for name in ("dpn", "dsnet"):
        model, x = archgen.build(families[name]).eval(), image(families[name])
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},))
        many = image(families[name], 7)
        torch.testing.assert_close(program.module()(many), model(many))


def test_fx_can_rebuild_it(family: Net):
    model = archgen.build(family).eval()
    x = image(family)
    assert equal(fx.symbolic_trace(model)(x), model(x))
