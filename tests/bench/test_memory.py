"""Whether a batch finds room in memory, said before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from archgen import ArchError, Net
from archgen.analysis import peak_bytes
from archgen.bench import memory
from archgen.bench.conditions import Conditions
from archgen.bench.memory import available_bytes, check_memory

NODES = ["stem: {block: conv_norm, width: 4}", "head: {block: pool_linear, classes: 5}"]


def test_the_largest_batch_that_fits_is_named(
    net: Callable[..., Net], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = net(*NODES)
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**26)
    with pytest.raises(ArchError, match=r"^tiny: batch 60,000: at least .* GiB are needed") as told:
        check_memory([small], ["eager", "folded"], Conditions(batch=60_000))
    fits = int(re.search(r"--batch (\d+) fits$", str(told.value))[1])  # type: ignore[index]
    images = 2 * 4 * 3 * 32 * 32
    assert 0 <= 2**26 - fits * (images + peak_bytes(small)) < 20_000, "the rest is weights"
    check_memory([small], ["eager", "folded"], Conditions(batch=fits))
    with pytest.raises(ArchError, match=rf"--batch {fits} fits$"):
        check_memory([small], ["eager", "folded"], Conditions(batch=fits + 1))
    check_memory([small], ["eager", "folded"], Conditions(batch=fits + 1, dtype="float16"))


def test_not_even_an_image(net: Callable[..., Net], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(ArchError, match=r"batch 1: .*; not even one image fits$"):
        check_memory([net(*NODES)], ["eager"], Conditions())


def test_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(memory, "MEMORY", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemFree: 2 kB\nMemAvailable:     4 kB\n")
    assert available_bytes() == 4096
    (tmp_path / "meminfo").unlink()
    free = available_bytes()
    assert free is None or free > 2**20
