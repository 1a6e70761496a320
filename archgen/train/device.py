"""Where a run computes: devices by name, threads, chances, and how memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from archgen.errors import ArchError


def choose_device(name: str = "auto") -> torch.device:
    """The device called ``auto`` (an accelerator, else the CPU), ``cpu``, ``cuda:N`` or ``mps``.

    Raises:
        ArchError: The name is none of these, or the device is not here.
    """
    here = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return here or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ArchError(
            "device", f"no device {name!r} (there are: auto, cpu, cuda, cuda:N, mps)"
        ) from None
    if device.type == "cpu":
        return torch.device("cpu")
    there = ["cpu"]
    if here is not None:
        there += [f"{here.type}:{index}" for index in range(torch.accelerator.device_count())]
    if f"{device.type}:{device.index or 0}" not in there:
        raise ArchError("device", f"no device {name!r} here (there are: {', '.join(there)})")
    return device


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads on the CPU, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def own_chances(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, for a while: of the CPU and of the device."""
    with torch.random.fork_rng(devices=_indices(device), device_type=_type(device)):
        torch.manual_seed(seed)
        yield


def chances(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's global generators: of the CPU and of the device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state(*_indices(device))
    return states


def set_chances(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Take back what `chances` gave; one of another device's is left out."""
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        getattr(torch, device.type).set_rng_state(states[device.type], *_indices(device))


def _type(device: torch.device) -> str:
    return "cuda" if device.type == "cpu" else device.type


def _indices(device: torch.device) -> list[int]:
    """Numbers of the devices whose generators are meant; MPS has one, without a number."""
    return [] if device.type in ("cpu", "mps") else [device.index or 0]


_SIGNS = ("out of memory", "defaultcpuallocator", "alloc_failed", "bad_alloc")


def out_of_memory(error: BaseException) -> bool:
    """Whether torch says with this error that it got no memory, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in text for sign in _SIGNS)
