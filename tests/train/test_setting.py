"""Precision and memory format: the fastest safe choice, and nothing else is touched."""

from __future__ import annotations

import time

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.train.data import digits  # noqa: E402
from archgen.train.recipe import Recipe  # noqa: E402
from archgen.train.result import Setting  # noqa: E402
from archgen.train.setting import choose_setting  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
DATA = digits(torch.device("cpu"))
AUTO = Recipe(precision="auto", memory_format="auto")
ALL = [
    "float32, contiguous",
    "float32, channels_last",
    "bfloat16, contiguous",
    "bfloat16, channels_last",
]


class Told(nn.Module):
    """A network that is slow, wrong or too large in the settings that a test names.

    Args:
        slow: Settings in which a pass takes 20 ms longer.
        wrong: Settings in which the scores are no numbers.
        far: Settings in which the scores are another network's.
        large: Settings that need a petabyte.
    """

    def __init__(self, **told: list[str]) -> None:
        super().__init__()
        torch.manual_seed(0)
        # A map of one channel lies in both ways at once.
        self.first = nn.Conv2d(1, 4, 1, bias=False)
        self.conv = nn.Conv2d(4, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.1)
        self.linear = nn.Linear(144, 10)
        self.told = told

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(self.first(x))
        last = y.is_contiguous(memory_format=torch.channels_last)
        name = f"{str(y.dtype)[6:]}, {'channels_last' if last else 'contiguous'}"
        told = {what for what, names in self.told.items() if name in names}
        if "slow" in told:
            time.sleep(0.02)
        if "large" in told:
            torch.empty(2**50)
        scores: torch.Tensor = self.linear(self.drop(self.norm(y)).flatten(1))
        return scores * (float("nan") if "wrong" in told else 5.0 if "far" in told else 1.0)


def chosen(model: nn.Module, recipe: Recipe = AUTO) -> Setting:
    return choose_setting(model, DATA, recipe, device=CPU)


@pytest.mark.parametrize("fast", ALL)
def test_the_fastest_is_chosen(fast: str) -> None:
    setting = chosen(Told(slow=[name for name in ALL if name != fast]))
    assert str(setting) == fast
    assert list(setting.seconds) == ALL
    assert min(setting.seconds, key=lambda name: setting.seconds[name]) == fast


@pytest.mark.parametrize("fault", ["wrong", "far", "large"])
def test_the_fastest_that_is_safe_is_chosen(fault: str) -> None:
    setting = chosen(Told(**{"slow": ALL[:3], fault: ALL[3:]}))
    assert str(setting) in ALL[:3]
    setting = chosen(Told(**{"slow": ALL[:2], fault: ALL[2:]}))
    assert str(setting) in ALL[:2]


def test_where_nothing_fits_the_error_is_the_callers() -> None:
    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        chosen(Told(large=ALL))


def test_only_what_is_auto_is_timed() -> None:
    layout = Recipe(precision="bfloat16", memory_format="auto")
    assert list(chosen(Told(), layout).seconds) == ALL[2:]
    named = Recipe(precision="bfloat16", memory_format="channels_last", accumulate=4)
    assert chosen(Told(), named) == Setting("bfloat16", "channels_last", 4)
    assert chosen(Told(), named).seconds == {}


def test_model_and_generators_stay_as_they_are() -> None:
    model = Told()
    model.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    chosen(model)
    assert not model.training
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(value.grad is None and value.is_contiguous() for value in model.parameters())


def test_a_precision_that_the_device_lacks_is_refused() -> None:
    with pytest.raises(ArchError, match="meta computes in float32 only, not in bfloat16; use"):
        choose_setting(Told(), DATA, Recipe(precision="bfloat16"), device=torch.device("meta"))
