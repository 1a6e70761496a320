"""The latency of a graph: kernels, their terms, factors that are fitted, what is kept."""

from __future__ import annotations

import inspect
import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import load, ops
from archgen.bench.samples import SAMPLES
from archgen.errors import ArchError
from archgen.files import names
from archgen.latency import (
    Calibration,
    Work,
    calibrated,
    cores,
    cpu,
    folder,
    latency,
    processor,
    works,
)
from archgen.latency import calibration as kept
from archgen.latency.fit import fitted, seconds
from archgen.latency.work import CACHE, terms_of, work
from archgen.ops import Act, Add, Conv, Linear, Slice


def calibration(glue: float = 0.0, **kernels: dict[str, float]) -> Calibration:
    """One whose factors are nothing but for the terms that are given."""
    factors = {
        name.replace("_", " "): dict.fromkeys(terms_of(name.replace("_", " ")), 0.0) | given
        for name, given in kernels.items()
    }
    return Calibration(
        processor="a CPU", cores=1, torch="2.0", threads=1, factors=factors, glue=glue
    )


def conv(inp: int, out: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> Conv:
    return Conv(inp, out, kernel, stride, kernel // 2, 1, groups)


def of(op: Conv, side: int, batch: int = 1, threads: int = 1) -> Work:
    shape = (op.inp, side, side)
    return work(op, [shape], op.shape(shape), batch=batch, threads=threads, in_place=False)


@given(st.lists(st.floats(0.1, 10), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_factors_are_found_again(factors, random):
    rows = [[1, random.uniform(1, 1e6), random.uniform(1, 1e9)] for _ in range(40)]
    scaled = [f / most for f, most in zip(factors, (1, 1e6, 1e9), strict=True)]
    found = fitted(rows, [seconds(scaled, row) for row in rows])
    for row in rows:
        assert seconds(found, row) == pytest.approx(seconds(scaled, row), rel=0.02)


def test_more_work_is_never_faster():
    """Measurements that fall with the work give a factor of nothing, not a negative one."""
    found = fitted([[1, 1], [1, 2], [1, 4]], [4.0, 2.0, 1.0])
    assert found[1] == 0
    assert found[0] > 0


def test_a_term_that_is_always_nothing_has_no_factor():
    assert fitted([[1, 0], [1, 0]], [2.0, 2.0]) == pytest.approx([2.0, 0.0])


def test_a_convolution_in_blocks_by_hand():
    found = of(conv(20, 40, stride=2), 64, batch=2)
    macs = 2 * 32 * 32 * 9 * 32 * 48  # 20 and 40 channels are computed as 32 and 48
    assert found == Work("blocked", (1, macs, 20 * 40 * 9, 2 * 20 * 64**2, 2 * 40 * 32**2, 0, 0))


def test_an_unrolled_convolution_by_hand():
    found = of(conv(20, 40), 16)
    columns = 16 * 16 * 20 * 9
    assert found == Work("unrolled", (1, columns * 40, 7200, 20 * 256, 40 * 256, columns, 0))


def test_others_by_hand():
    shape = (8, 4, 4)
    add = work(Add(), [shape] * 3, shape, batch=2, threads=1, in_place=False)
    assert add == Work("add", (1, 3, 16, 3 * 256, 256, 0))
    act = work(Act("relu"), [shape], shape, batch=2, threads=1, in_place=True)
    assert act == Work("relu act", (1, 1, 16, 256, 0, 0))
    large = (64, 64, 64)
    act = work(Act("relu"), [large], large, batch=4, threads=1, in_place=True)
    assert act == Work("relu act", (1, 1, 256, 2**20, 0, 2**21 - CACHE))
    cut = work(Slice(0, 4), [shape], (4, 4, 4), batch=2, threads=1, in_place=False)
    assert cut == Work("slice", (1,))
    linear = work(Linear(8, 5), [(8,)], (5,), batch=2, threads=1, in_place=False)
    assert linear == Work("linear", (1, 80, 45))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_samples_have_all_kernels_that_the_library_needs(threads: int):
    measured = {
        each.kernel
        for sample in SAMPLES
        for each in works(sample.net().graph(), sample.batch, threads)
    }
    nets = [*map(load, names("specs"))]
    nets += [load(name).set({"output_stride": 8}) for name in ("resnet50", "densenet121", "dpn68")]
    needed = {
        each.kernel
        for net in nets
        for batch in (1, 3, 32)
        for each in works(net.graph(), batch, threads)
    }
    assert needed <= measured


def test_the_samples_have_all_operations():
    every = {
        kind
        for kind in vars(ops).values()
        if inspect.isclass(kind) and issubclass(kind, ops.Op) and kind not in (ops.Op, ops.Input)
    }
    measured = {type(call.op) for sample in SAMPLES for call in sample.net().graph().calls}
    assert every <= measured


def test_every_term_has_a_name():
    for sample in SAMPLES:
        for each in works(sample.net().graph(), sample.batch, 1):
            assert len(each.terms) == len(terms_of(each.kernel))


def test_a_network_takes_what_its_operations_take(net):
    made = net("a: {block: conv_norm, width: 4}", image=[3, 8, 8])
    each = works(made.graph(), 2, 1)
    assert [one.kernel for one in each] == ["image", "norm", "relu act"]
    found = calibration(0.25, image={"call": 1}, norm={"read": 2}, relu_act={"call": 4})
    assert latency(made, found, 2) == 1 + 2 * (2 * 4 * 64) + 4 + 3 * 0.25


def test_factors_of_other_terms_are_no_estimate():
    """Those of an older model, one term short, would give a figure that is too small."""
    found = here()
    with pytest.raises(ValueError, match="argument"):
        found.seconds(Work("add", (1, 2)))


def test_what_was_not_measured_is_named(net):
    made = net("a: {block: conv_norm, width: 4}")
    with pytest.raises(ArchError, match=r"unrolled: no such operation was measured"):
        latency(made, calibration())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def here(threads: int = 1) -> Calibration:
    measured = [(Work("add", (1, 2, 3, n, n, 0)), 1e-6 * n) for n in (10, 20)]
    return Calibration.of(measured, threads=threads, glue=1e-6)


def test_what_is_kept_is_read_again(cache: Path):
    assert calibrated() is None
    one, two = here(), here(2)
    assert one.processor == processor()
    assert one.save().parent == cache
    assert calibrated() == one
    two.save()
    assert calibrated(1) == one
    assert calibrated(2) == two
    assert calibrated(3) is None


def test_most_threads_hold_unless_they_are_chosen(cache: Path):
    for number, threads in enumerate((1, 10, 2)):
        os.utime(here(threads).save(), (0, 1000 + number))
    found = calibrated()
    assert found is not None
    assert found.threads == 10


@pytest.mark.parametrize(
    "other", [{"processor": "another"}, {"torch": "0.1"}, {"cores": cores() + 1}]
)
def test_another_machine_or_version_has_none(cache: Path, other: dict[str, Any]):
    here().model_copy(update=other).save()
    assert calibrated() is None


def test_another_model_has_none(cache: Path, monkeypatch: pytest.MonkeyPatch):
    here().save()
    monkeypatch.setattr(kept, "MODEL", (*kept.MODEL, "a term more"))
    assert calibrated() is None


def change(**top: Any) -> str:
    data = here().model_dump()
    return json.dumps(data | top)


def one_too_few() -> str:
    factors = here().factors["add"]
    return change(factors={"add": dict([*factors.items()][:-1])})


DAMAGED = {
    "empty": lambda: "",
    "cut": lambda: change()[:-9],
    "a list": lambda: "[]",
    "no keys": lambda: "{}",
    "nested": lambda: "[" * 100_000,
    "not UTF-8": lambda: "\udcff",
    "glue is text": lambda: change(glue="x"),
    "glue is null": lambda: change(glue=None),
    "glue is NaN": lambda: change(glue=float("nan")),
    "glue is negative": lambda: change(glue=-5),
    "a factor is infinite": lambda: change(factors={"linear": {"call": float("inf")}}),
    "factors are a list": lambda: change(factors=[]),
    "factors of a kernel are a list": lambda: change(factors={"add": [1, 2]}),
    "a factor too few": one_too_few,
    "a factor is text": lambda: one_too_few().replace('"read": ', '"read": "'),
    "threads are text": lambda: change(threads="many"),
    "no threads": lambda: change(threads=0),
    "other threads": lambda: change(threads=3),
    "another CPU": lambda: change(processor="another"),
    "another PyTorch": lambda: change(torch="0.1"),
    "a key more": lambda: change(more=1),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_named_and_the_next_holds(cache: Path, damage: str):
    one, path = here(1), here(2).save()
    path.write_text(DAMAGED[damage](), errors="surrogateescape")
    seen: list[Path] = []
    assert calibrated(damaged=seen.append) is None
    assert seen == [path]
    one.save()
    assert calibrated(damaged=seen.append) == one
    assert calibrated(2) is None


def test_what_is_no_file_is_damaged_too(cache: Path):
    path = here().save()
    path.unlink()
    os.mkfifo(path)  # to open it would wait for ever
    seen: list[Path] = []
    assert calibrated(damaged=seen.append) is None
    assert seen == [path]


def test_the_cpu_is_told_from_others_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    info = tmp_path / "cpuinfo"
    text = "model name\t: A CPU\ncpu family\t: 6\nmodel\t\t: {}\nstepping\t: 2\n"
    monkeypatch.setattr(cpu, "CPU_INFO", info)
    found = []
    for model in (106, 207):
        info.write_text(f"{text.format(model)}\n{text.format(1)}")
        found.append(cpu.processor.__wrapped__())
    assert found == [f"A CPU (cpu family 6, model {model}, stepping 2)" for model in (106, 207)]
    info.unlink()
    assert cpu.processor.__wrapped__() == (platform.processor() or platform.machine())


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("ARCHGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "archgen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".cache" / "archgen"


@pytest.mark.parametrize("place", ["file", "x" * 300, "file/below"])
def test_a_folder_that_cannot_be_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARCHGEN_CACHE", str(tmp_path / place))
    assert calibrated() is None
    with pytest.raises(ArchError, match="cannot make this folder"):
        here().save()


def test_without_pytorch_nothing_is_estimated(cache: Path, monkeypatch: pytest.MonkeyPatch):
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    here().save()
    monkeypatch.setattr(metadata, "version", missing)
    assert calibrated() is None
    with pytest.raises(ArchError, match=r"^torch: no package of that name is installed"):
        here()


def test_without_a_home_nothing_is_estimated(monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("ARCHGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert calibrated() is None
    with pytest.raises(ArchError, match=r"^ARCHGEN_CACHE: not set, and there is no home folder"):
        folder()
