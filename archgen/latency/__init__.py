"""How long a forward pass takes on this machine, estimated without PyTorch."""

from archgen.latency.calibration import Calibration, calibrated, folder, processor
from archgen.latency.estimate import latency, works
from archgen.latency.work import Work

__all__ = ["Calibration", "Work", "calibrated", "folder", "latency", "processor", "works"]
