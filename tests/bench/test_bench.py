"""Networks in their forms: what takes part, what is refused, what is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from archgen import ArchError, Net
from archgen.bench import forms, timing
from archgen.bench.clock import TASKS
from archgen.bench.conditions import Conditions, Form
from archgen.bench.entrants import difference, entrants
from archgen.bench.extras import needs
from archgen.bench.forms import make_form
from archgen.bench.machine import Machine
from archgen.bench.run import bench
from archgen.bench.subjects import Subject, spec_subject, timm_subject
from archgen.train.device import out_of_memory, use_threads

pytestmark = pytest.mark.torch
NODES = [
    "stem: {block: conv_norm, width: 4}",
    "stages: {block: basic, depth: [1, 1], width: [4, 8], stride: [1, 2], shortcut: projection}",
    "head: {block: pool_linear, classes: 5}",
]
needs_onnxruntime = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime", "onnxscript"))),
    reason="needs the onnx extra",
)


@pytest.fixture
def small(net: Callable[..., Net]) -> Subject:
    torch.manual_seed(0)
    return spec_subject(net(*NODES, image=(1, 16, 16)))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timing, "WARMUP", 1e-4)
    with use_threads(1):
        yield


@pytest.mark.parametrize(
    "form",
    ["eager", "folded", "compiled", pytest.param("onnxruntime", marks=needs_onnxruntime)],
)
def test_a_form_gives_what_the_network_gives(form: Form, small: Subject) -> None:
    run = make_form(form, small, Conditions(batch=3))
    images = torch.randn(3, *small.input, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted, result, again = small.model(images), run(), run()
    if form == "onnxruntime":
        (result,), (again,) = map(torch.as_tensor, result), map(torch.as_tensor, again)
    torch.testing.assert_close(result, wanted, rtol=1e-4, atol=1e-4)
    assert torch.equal(result, again)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_dtype_and_memory_format_are_of_weights_and_images(
    dtype: str, layout: str, small: Subject
) -> None:
    conditions = Conditions(dtype=dtype, memory_format=layout)  # type: ignore[arg-type]
    seen: list[torch.Tensor] = []
    small.model.stem.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode():
        assert make_form("eager", small, conditions)().dtype == getattr(torch, dtype)
    assert seen[0].dtype == getattr(torch, dtype)
    assert seen[0].is_contiguous(memory_format=forms.LAYOUTS[layout])
    assert {weight.dtype for weight in small.model.parameters()} == {torch.float32}


def test_deep_networks_stay_within_float16(net: Callable[..., Net]) -> None:
    """Of a fresh one, whose norms do nothing yet, the last maps are no finite numbers."""
    deep = net(
        "stem: {block: conv_norm, width: 8}",
        "stages: {block: basic, depth: 24, width: 8, shortcut: projection}",
        "head: {block: pool_linear, classes: 5}",
        image=(3, 8, 8),
    )
    torch.manual_seed(0)
    settled = spec_subject(deep)
    conditions = Conditions(dtype="float16")
    (entrant,) = entrants([settled], ["eager"], conditions)
    with torch.inference_mode():
        assert float(entrant.run().abs().max()) < 1e3
    for module in settled.model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            nn.init.constant_(module.weight, 3)
    with pytest.raises(ArchError, match="tiny: its outputs are no finite numbers in float16"):
        entrants([settled], ["eager"], conditions)


def test_every_network_is_measured_in_every_form(small: Subject, net: Callable[..., Net]) -> None:
    other = spec_subject(net(*NODES, image=(1, 16, 16)).set({"stages.width": [8, 16]}))
    conditions = Conditions(batch=2)
    parts: list[float] = []
    ready = entrants([other, small], ["eager", "folded"], conditions)
    result = bench(ready, conditions, rounds=4, report=parts.append)
    assert [(row.name, row.form) for row in result.rows] == [
        ("tiny", "eager"),
        ("tiny", "folded"),
    ] * 2
    assert (result.rounds, result.interrupted) == (4, False)
    assert parts == [0.25, 0.5, 0.75, 1]
    first = result.rows[0].ratio
    assert (first.low, first.median, first.high) == (1, 1, 1)
    for row in result.rows:
        assert row.input == (1, 16, 16)
        assert 0 < row.seconds.low <= row.seconds.median <= row.seconds.high
        assert row.cpu_seconds.median > 0
        assert row.images_per_second == 2 / row.seconds.median
    assert result.share is not None
    assert 0 < result.share <= 1
    assert [*result.machine.versions] == ["archgen", "torch"]


@pytest.mark.skipif(not TASKS.is_dir(), reason="only Linux says what waits")
def test_others_that_take_the_core_are_noticed(small: Subject) -> None:
    """Rivals on the one core that this process may use leave it a part of the time."""
    ready = entrants([small], ["eager"], Conditions(batch=64))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    rivals = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        result = bench(ready, Conditions(batch=64), seconds=1)
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
        os.sched_setaffinity(0, before)
    assert result.share is not None
    assert result.share < 0.8
    assert result.busy


def test_float32_is_float32_while_it_is_measured(small: Subject) -> None:
    seen: list[bool] = []
    run = small.model.forward
    small.model.forward = lambda x: seen.append(torch.backends.cudnn.allow_tf32) or run(x)  # type: ignore[method-assign]
    before = torch.backends.cudnn.allow_tf32
    bench(entrants([small], ["eager"], Conditions()), Conditions(), rounds=1)
    assert seen
    assert not any(seen)
    assert torch.backends.cudnn.allow_tf32 == before


def test_networks_with_several_outputs(net: Callable[..., Net]) -> None:
    maps = spec_subject(net(*NODES).set({"outputs": ["stages.0", "stages.1"]}))
    assert len(entrants([maps], ["eager", "folded"], Conditions())) == 2


def test_a_form_with_other_numbers_is_refused(
    small: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(model: nn.Module) -> nn.Module:
        deployed = real(model)
        deployed.head.linear.weight.data[0, 0] += 0.5
        return deployed

    real = forms.deploy
    monkeypatch.setattr(forms, "deploy", wrong)
    with pytest.raises(ArchError, match=r"^tiny: form 'folded' gives other numbers than eager"):
        entrants([small], ["folded"], Conditions())


def test_differences_are_relative_and_of_all_outputs() -> None:
    there = [torch.tensor([1.0, 4.0]), torch.tensor([100.0])]
    assert difference([there[0] + 1, there[1]], there) == pytest.approx(0.25)
    assert difference([there[0], there[1] + 1], there) == pytest.approx(0.01)
    assert not difference([there[0] * torch.nan, there[1]], there) <= 1


def test_what_does_not_run_is_one_line(small: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: nn.Module) -> nn.Module:
        raise ValueError("no compiler\nand a long story")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(ArchError) as caught:
        entrants([small], ["compiled"], Conditions())
    assert str(caught.value) == "tiny: form 'compiled' does not run here: no compiler"


def test_a_batch_that_memory_cannot_hold(small: Subject) -> None:
    with pytest.raises(RuntimeError) as caught:
        entrants([small], ["eager"], Conditions(batch=2**40))
    assert out_of_memory(caught.value)


@needs_onnxruntime
def test_onnxruntime_runs_where_it_was_built_for(small: Subject) -> None:
    with pytest.raises(ArchError, match="on the cpu in float32, not in bfloat16 on cpu"):
        entrants([small], ["onnxruntime"], Conditions(dtype="bfloat16"))


@pytest.mark.skipif(find_spec("onnxruntime") is not None, reason="it is installed")
def test_what_is_not_installed_is_said_with_how_to(small: Subject) -> None:
    with pytest.raises(ArchError, match=r"onnx.*: not installed; pip install 'archgen\[onnx\]'"):
        entrants([small], ["onnxruntime"], Conditions())


def test_timm_networks_take_the_same_images(small: Subject) -> None:
    pytest.importorskip("timm")
    peer = timm_subject("test_resnet", (1, 32, 32))
    assert (peer.name, peer.input) == ("timm:test_resnet", (1, 32, 32))
    ready = entrants([peer, small], ["eager", "folded"], Conditions(batch=2))
    assert [(each.name, each.form, each.packages) for each in ready] == [
        ("timm:test_resnet", "eager", ("timm", "torch")),
        ("tiny", "eager", ("archgen", "torch")),
        ("tiny", "folded", ("archgen", "torch")),
    ]
    assert "timm" in bench(ready, Conditions(batch=2), rounds=1).machine.versions
    with torch.inference_mode():
        assert ready[0].run().shape == (2, 1000)
    with pytest.raises(ArchError, match=r"^timm:test_resnet: this cannot be folded"):
        entrants([peer], ["folded"], Conditions())


def test_what_timm_has_not() -> None:
    pytest.importorskip("timm")
    with pytest.raises(ArchError, match=r"timm has no network 'dpn86'; did you mean .*'dpn68'"):
        timm_subject("dpn86", (3, 32, 32))
    with pytest.raises(ArchError, match="timm has no network 'hf-hub:timm/resnet18'"):
        timm_subject("hf-hub:timm/resnet18", (3, 32, 32))
    with pytest.raises(ArchError, match=r"^timm: give a name: timm:resnet50$"):
        timm_subject("", (3, 32, 32))
    with pytest.raises(ArchError, match=r"^timm:vit_\w+: it takes no images of 3x32x32: "):
        timm_subject("vit_tiny_patch16_224", (3, 32, 32))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("...", name="onnx"), r"^onnx: not installed; .* 'archgen\[onnx\]'"),
        (
            ModuleNotFoundError("no yaml", name="yaml"),
            r"^onnx: installed, but .* imported: no yaml",
        ),
        (ImportError("libprotobuf.so"), r"^onnx: installed, but .* imported: libprotobuf\.so$"),
    ],
)
def test_a_broken_package_is_not_called_absent(error: ImportError, said: str) -> None:
    with pytest.raises(ArchError, match=said), needs("onnx", extra="onnx"):
        raise error


def test_the_machine_is_said() -> None:
    here = Machine.here(torch.device("cpu"), ["archgen", "torch", "nothing"])
    assert [*here.versions] == ["archgen", "torch"]
    assert here.device == here.processor != ""
    assert here.cores >= 1
    assert here.versions["torch"].split("+")[0] == torch.__version__.split("+")[0]
