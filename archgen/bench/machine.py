"""What a measurement ran on: figures of one machine say nothing of another."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from archgen.latency import cores, processor


@dataclass(frozen=True)
class Machine:
    """The machine, in words.

    Args:
        processor: The CPU's model.
        cores: Of the CPU, that this process may use.
        device: The model of the device that computes.
        versions: Of what takes part, by package.
    """

    processor: str
    cores: int
    device: str
    versions: dict[str, str]

    @classmethod
    def here(cls, device: torch.device, packages: Iterable[str]) -> Machine:
        """Describe this one, computing on ``device`` by means of ``packages``."""
        model = processor()
        return cls(model, cores(), _model(device) or model, _versions(packages))


def _model(device: torch.device) -> str:
    """Name an accelerator's model; "" for the CPU."""
    if device.type == "cpu":
        return ""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
