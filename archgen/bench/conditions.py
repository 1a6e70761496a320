"""What networks that are compared have in common. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from archgen.precision import Precision

Form: TypeAlias = Literal["eager", "folded", "compiled", "onnxruntime"]
"""How a network runs: as it was built; norms and branches folded into convolutions; by
``torch.compile``; in ONNX Runtime."""
MemoryFormat: TypeAlias = Literal["contiguous", "channels_last"]


@dataclass(frozen=True)
class Conditions:
    """How all networks of a comparison run.

    Args:
        device: As torch names it: ``cpu``, ``cuda:0``.
        threads: That compute on the CPU.
        batch: Images at once.
        dtype: Of weights and images: all of the network is converted, there is no autocast.
        memory_format: How maps lie in memory; ONNX Runtime chooses its own.
    """

    device: str = "cpu"
    threads: int = 1
    batch: int = 1
    dtype: Precision = "float32"
    memory_format: MemoryFormat = "contiguous"
