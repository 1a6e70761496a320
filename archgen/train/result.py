"""What a training run gives: its epochs, its setting and how it ended. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave. Losses are mean cross-entropies (nats an image), top1 is in percent."""

    epoch: int  # from 1
    epochs: int
    lr: float  # of the last step
    train_loss: float
    loss: float
    top1: float
    seconds: float  # that the run took so far, without interruptions


@dataclass(frozen=True)
class Setting:
    """How the steps of a run are computed.

    Args:
        precision: Of what runs under autocast; weights are always float32.
        memory_format: How maps lie in memory.
        parts: In how many parts each batch goes through the network.
        seconds: Median seconds of one step, by the choice that was timed; empty if none was.
    """

    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    memory_format: Literal["contiguous", "channels_last"] = "contiguous"
    parts: int = 1
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        parts = f", batches in {self.parts} parts" if self.parts > 1 else ""
        return f"{self.precision}, {self.memory_format}{parts}"


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Loss and top1 are those of the last epoch on the validation split.

    Args:
        state: ``finished``; ``diverged`` when a loss was not a finite number; ``memory`` when
            half the batch at a time did not fit either.
        curve: All epochs, those before an interruption too; of a diverged run the last is the
            one that was no number.
        seconds: That the run took, without interruptions.
        reason: Why it did not finish; empty if it did.
        setting: The one in force at the end.
    """

    state: Literal["finished", "diverged", "memory"]
    curve: tuple[Epoch, ...]
    seconds: float
    reason: str = ""
    setting: Setting = field(default_factory=Setting)

    @property
    def loss(self) -> float:
        """Mean validation cross-entropy at the end, in nats an image."""
        return self.curve[-1].loss

    @property
    def top1(self) -> float:
        """Validation accuracy at the end, in percent."""
        return self.curve[-1].top1
