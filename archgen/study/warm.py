"""What the server of `archgen.study.crew` loads before it forks: PyTorch, and a search's data.

Each process that trains finds both in its memory. Imported by that server alone, which is told of
the data by the environment.
"""

from __future__ import annotations

import os
from contextlib import suppress

import torch
import torch._dynamo  # the first optimiser would load it, in each process anew

import archgen.nn
import archgen.study.worker
import archgen.train.evaluate
import archgen.train.loop
from archgen.errors import ArchError

# Threads of the server would be missing in what it forks.
torch.set_num_threads(1)
if told := os.environ.get(archgen.study.worker.TOLD):
    with suppress(ArchError):  # whoever needs the data will say so
        archgen.study.worker.load(*archgen.study.worker.read(told))
