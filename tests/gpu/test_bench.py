"""Timing on a CUDA device: a turn lasts until the device is done."""

from __future__ import annotations

import torch

import archgen
from archgen.bench.conditions import Conditions
from archgen.bench.entrants import entrants
from archgen.bench.run import bench
from archgen.bench.subjects import spec_subject


def test_the_device_is_waited_for() -> None:
    """As long as by the device's own clock, which launches alone do not take."""
    conditions = Conditions("cuda:0", batch=256, memory_format="channels_last")
    ready = entrants([spec_subject(archgen.load("resnet50"))], ["eager"], conditions)
    (row,) = bench(ready, conditions, rounds=10).rows
    start = torch.cuda.Event(enable_timing=True)
    end = torch.cuda.Event(enable_timing=True)
    with torch.inference_mode():
        start.record()
        ready[0].run()
        end.record()
    torch.cuda.synchronize()
    own = start.elapsed_time(end) / 1e3
    assert 0.7 * own < row.seconds.median < 1.5 * own


def test_the_forms_of_a_device_agree() -> None:
    for dtype in ("float32", "bfloat16"):
        conditions = Conditions("cuda:0", batch=2, dtype=dtype)
        subject = spec_subject(archgen.load("parnet_digits"))
        ready = entrants([subject], ["eager", "folded", "compiled"], conditions)
        result = bench(ready, conditions, rounds=3)
        assert result.machine.device == torch.cuda.get_device_name(0)
        assert result.share is None
        assert len(result.rows) == 3
