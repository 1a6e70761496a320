"""How long a forward pass takes on this machine, estimated without PyTorch."""

from archgen.latency.calibration import Calibration, calibrated, folder, pytorch
from archgen.latency.cpu import cores, processor
from archgen.latency.estimate import latency, works
from archgen.latency.work import Work

__all__ = [
    "Calibration",
    "Work",
    "calibrated",
    "cores",
    "folder",
    "latency",
    "processor",
    "pytorch",
    "works",
]
