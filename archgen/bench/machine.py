"""What a measurement ran on: figures of one machine say nothing of another."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from archgen.latency import processor

PACKAGES = ("archgen", "torch", "timm", "onnxruntime")


@dataclass(frozen=True)
class Machine:
    """The machine, in words.

    Args:
        processor: The CPU's model.
        cores: Of the CPU, that this process may use.
        device: The model of the device that computes.
        versions: Of what computes, by package; of what is installed.
    """

    processor: str
    cores: int
    device: str
    versions: dict[str, str]

    @classmethod
    def here(cls, device: torch.device) -> Machine:
        """Describe this one, computing on ``device``."""
        model = processor()
        return cls(model, _cores(), _model(device) or model, _versions())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _model(device: torch.device) -> str:
    """Name an accelerator's model; "" for the CPU."""
    if device.type == "cpu":
        return ""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
