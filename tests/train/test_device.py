"""Devices by their names, threads, chances."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from archgen.errors import ArchError  # noqa: E402
from archgen.train.device import (  # noqa: E402
    chances,
    choose_device,
    out_of_memory,
    own_chances,
    set_chances,
    use_threads,
)

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")


def test_devices() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("cpu:0") == CPU
    here = torch.accelerator.current_accelerator(check_available=True)
    assert choose_device("auto") == (here or CPU)
    with pytest.raises(ArchError, match=r"no device 'gpu' \(there are: auto, cpu, cuda"):
        choose_device("gpu")
    with pytest.raises(ArchError, match=r"no device 'cuda:99' here \(there are: cpu"):
        choose_device("cuda:99")


def test_threads_are_given_back() -> None:
    with use_threads(2):
        with use_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2


def test_chances_are_taken_back() -> None:
    before = torch.get_rng_state()
    with own_chances(3, CPU):
        states = chances(CPU)
        first = torch.rand(3)
        set_chances(states, CPU)
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_torch_says_without_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert out_of_memory(caught.value)
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not out_of_memory(KeyError("out of memory"))
