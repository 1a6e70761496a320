"""What a server loads before it forks processes that train: PyTorch, and their data.

Each process finds both in its memory. A server imports this module; the environment tells it of
the data.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
import torch._dynamo  # the first optimiser would load it, in each process anew

import archgen.nn
import archgen.train.loop  # noqa: F401
from archgen.train.data import Data, load_data
from archgen.train.datasets import TOLD, Wanted


@cache
def load(wanted: Wanted) -> Data:
    """A data set in the CPU's memory, loaded once.

    Raises:
        ArchError: As `archgen.train.data.load_data`.
    """
    root = Path(wanted.root) if wanted.root else None
    device, size = torch.device("cpu"), wanted.size
    return load_data(wanted.name, device, root=root, download=wanted.download, size=size)


if told := os.environ.get(TOLD):
    # Threads of the server would be missing in what it forks.
    torch.set_num_threads(1)
    with suppress(Exception):  # whoever needs the data will say so
        load(Wanted.read(told))
