"""The latency of a graph: kernels, their terms, factors that are fitted, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import load
from archgen.bench.samples import SAMPLES
from archgen.errors import ArchError
from archgen.files import names
from archgen.latency import Calibration, Work, calibrated, folder, latency, processor, works
from archgen.latency.fit import fitted, seconds
from archgen.latency.work import CACHE, work
from archgen.ops import Act, Add, Conv, Linear, Slice

MAP = Calibration(
    "a CPU", "2.0", 1, {"relu act": [1e-6, 0, 0, 1e-9, 2e-9], "linear": [1.0, 0, 0]}, 0.5
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
    needed = {
        each.kernel
        for name in names("specs")
        for batch in (1, 3, 32)
        for each in works(load(name).graph(), batch, threads)
    }
    assert needed <= measured


def test_terms_of_a_kernel_are_of_one_length():
    lengths: dict[str, set[int]] = {}
    for sample in SAMPLES:
        for each in works(sample.net().graph(), sample.batch, 1):
            lengths.setdefault(each.kernel, set()).add(len(each.terms))
    assert {len(found) for found in lengths.values()} == {1}


def test_a_network_takes_what_its_operations_take(net):
    made = net("a: {block: conv_norm, width: 4}", image=[3, 8, 8])
    each = works(made.graph(), 2, 1)
    assert [one.kernel for one in each] == ["image", "norm", "relu act"]
    kernels = {
        "image": [1.0] + [0.0] * 5,
        "norm": [0.0] * 3 + [2.0, 0.0],
        "relu act": [4.0] + [0.0] * 4,
    }
    calibration = replace(MAP, factors=kernels, glue=0.25)
    assert latency(made, calibration, 2) == 1 + 2 * (2 * 4 * 64) + 4 + 3 * 0.25


def test_what_was_not_measured_is_named(net):
    made = net("a: {block: conv_norm, width: 4}")
    with pytest.raises(ArchError, match=r"unrolled: no such operation was measured"):
        latency(made, MAP)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def here(threads: int = 1) -> Calibration:
    measured = [(Work("add", (1, n)), 1e-6 * n) for n in (10, 20)]
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


def test_the_latest_holds(cache: Path):
    import os

    for threads in (1, 2):
        path = here(threads).save()
        os.utime(path, (0, 1000 + (threads == 1)))
    found = calibrated()
    assert found is not None
    assert found.threads == 1


def test_another_machine_or_version_has_none(cache: Path):
    replace(here(), processor="another").save()
    replace(here(), torch="0.1").save()
    assert calibrated() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"threads": 1}', "null", "3"])
def test_a_damaged_file_is_none(cache: Path, text: str):
    here().save().write_text(text)
    assert calibrated() is None


def test_factors_that_are_no_numbers_are_none(cache: Path):
    path = here().save()
    data = json.loads(path.read_text())
    for wrong in ({"add": ["1"]}, {"add": None}, [1]):
        path.write_text(json.dumps(data | {"factors": wrong}))
        assert calibrated() is None


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("ARCHGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "archgen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".cache" / "archgen"


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARCHGEN_CACHE", str(tmp_path / "file"))
    assert calibrated() is None
    with pytest.raises(ArchError, match="cannot make this folder"):
        here().save()
