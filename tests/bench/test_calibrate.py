"""What is measured of operations, and that PyTorch takes the kernels that the estimate says."""

from __future__ import annotations

import itertools
import time

import pytest
import torch

from archgen import load
from archgen.bench.calibrate import calibrate
from archgen.bench.samples import Sample
from archgen.bench.steps import steps, take_steps
from archgen.errors import ArchError
from archgen.latency import latency, works
from archgen.latency.work import SMALL_MAP, work
from archgen.ops import Conv
from archgen.train.device import use_threads

pytestmark = pytest.mark.torch
DIGITS = ["dpn_digits", "drn_digits", "dsnet_digits", "mixed_digits", "parnet_digits"]


@pytest.mark.parametrize("name", DIGITS)
def test_steps_give_what_the_graph_says(name: str):
    graph = load(name).graph()
    values = [torch.randn(2, *graph.calls[0].shape)]
    with torch.inference_mode():
        for step in steps(graph):
            values.append(step.call(*[values[source] for source in step.inputs]))
    assert [tuple(value.shape[1:]) for value in values] == [call.shape for call in graph.calls]


@pytest.mark.parametrize("name", DIGITS)
def test_all_steps_are_timed_and_nothing_is_let_go_too_early(name: str):
    graph = load(name).graph()
    with torch.inference_mode():
        taken = take_steps(steps(graph), torch.randn(1, *graph.calls[0].shape), time.perf_counter)
    assert len(taken) == len(graph.calls) - 1 == len(works(graph, 1, 1))
    assert min(taken) > 0


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 2, 16])
def test_pytorch_takes_these_kernels(threads: int, batch: int):
    """oneDNN or a product of matrices, as ATen itself chooses."""
    channels = ((3, 8, 1), (16, 24, 1), (64, 64, 1), (64, 64, 4), (64, 64, 64))
    geometries = ((1, 1, 1), (1, 2, 1), (3, 1, 1), (3, 2, 1), (3, 1, 2), (5, 1, 1))
    sides = (8, 16, 17, 18, 19, 40)
    assert 64 * 17 * 17 < SMALL_MAP < 64 * 18 * 18
    with use_threads(threads):
        for (inp, out, groups), (kernel, stride, dilation), side in itertools.product(
            channels, geometries, sides
        ):
            padding = dilation * (kernel // 2)
            op = Conv(inp, out, kernel, stride, padding, dilation, groups)
            shape = (inp, side, side)
            ours = work(op, [shape], op.shape(shape), batch=batch, threads=threads, in_place=False)
            backend = torch._C._select_conv_backend(
                torch.empty(batch, *shape),
                torch.empty(out, inp // groups, kernel, kernel),
                None,
                [stride] * 2,
                [padding] * 2,
                [dilation] * 2,
                False,
                [0, 0],
                groups,
                None,
            )
            by_product = ours.kernel in ("product", "unrolled")
            assert by_product == ("Slow" in backend.name), (op, side, ours.kernel, backend)


def test_calibrated_on_two_networks_both_are_estimated():
    samples = [Sample("dpn_digits"), Sample("mixed_digits", batch=2)]
    done: list[float] = []
    with use_threads(1):
        found, share = calibrate(1, samples=samples, report=done.append)
    assert share is not None
    assert 0 < share <= 1
    assert done == [pytest.approx((turn + 1) / 6) for turn in range(6)]
    assert found.glue >= 0
    assert all(f >= 0 for factors in found.factors.values() for f in factors.values())
    for sample in samples:
        once = latency(sample.net(), found, sample.batch)
        assert 0 < 2 * once < latency(sample.net(), found, 64 * sample.batch)
    with pytest.raises(ArchError, match="was measured by 'archgen calibrate'"):
        latency(load("drn_digits").set({"stages.act": "gelu"}), found)


def test_operations_that_no_clock_sees_are_left_out(monkeypatch: pytest.MonkeyPatch):
    """By a clock of coarse ticks most take nothing, which nothing can be fitted to."""
    coarse = itertools.chain([0.0] * 50, itertools.count(1.0, 0.001))
    monkeypatch.setattr("archgen.bench.calibrate.clock_of", lambda threads: lambda: next(coarse))
    with use_threads(1):
        found, _ = calibrate(1, samples=[Sample("drn_digits")])
    assert found.factors

    monkeypatch.setattr("archgen.bench.calibrate.clock_of", lambda threads: lambda: 0.0)
    with use_threads(1):
        found, _ = calibrate(1, samples=[Sample("drn_digits")])
    assert found.factors == {}
