"""The loop: repeats exactly, learns, ends on what is no number, writes weights whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.train.data import Data, digits  # noqa: E402
from archgen.train.evaluate import evaluate  # noqa: E402
from archgen.train.loop import (  # noqa: E402
    Epoch,
    Result,
    choose_device,
    train,
    use_threads,
)
from archgen.train.recipe import Recipe  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with use_threads(1):
        yield


@pytest.fixture(scope="module")
def data() -> Data:
    return digits(CPU)


def network(seed: int = 0, *, dropout: float = 0.3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(512, 10),
    )


def run(model: nn.Module, data: Data, recipe: Recipe, **more: Path) -> Result:
    return train(model, data, recipe, device=CPU, report=lambda _: None, **more)


def figures(result: Result) -> list[tuple[float, ...]]:
    return [(e.epoch, e.lr, e.train_loss, e.loss, e.top1) for e in result.curve]


def test_a_cpu_run_repeats_exactly(data: Data) -> None:
    first, second = network(), network()
    one = run(first, data, Recipe(epochs=2))
    torch.rand(5)  # what others draw changes nothing
    two = run(second, data, Recipe(epochs=2))
    assert figures(one) == figures(two)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_another_seed_is_another_run(data: Data) -> None:
    one = run(network(), data, Recipe(epochs=1))
    two = run(network(), data, Recipe(epochs=1, seed=1))
    assert figures(one) != figures(two)


def test_the_global_generator_is_left_alone(data: Data) -> None:
    model = network()
    before = torch.get_rng_state()
    run(model, data, Recipe(epochs=1))
    assert torch.equal(before, torch.get_rng_state())


def test_it_learns_and_reports_each_epoch(data: Data) -> None:
    seen: list[Epoch] = []
    model = network()
    recipe = Recipe(epochs=4, label_smoothing=0.1)
    result = train(model, data, recipe, device=CPU, report=seen.append)
    assert result.state == "finished"
    assert [epoch.epoch for epoch in seen] == [1, 2, 3, 4]
    assert tuple(seen) == result.curve
    assert result.top1 > 93
    scores = evaluate(model, data.validation)
    assert (result.loss, result.top1) == (scores.loss, scores.top1)


class Broken(nn.Module):
    """A bias alone, and a loss that is no number from the second epoch on."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(10))
        self.passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += self.training
        return self.bias.expand(len(x), 10) * (1 if self.passes <= 16 else float("nan"))


def test_a_loss_that_is_no_number_ends_the_run(data: Data, tmp_path: Path) -> None:
    seen: list[Epoch] = []
    path = tmp_path / "weights.pt"
    result = train(
        Broken(), data, Recipe(epochs=5), device=CPU, report=seen.append, checkpoint=path
    )
    assert result.state == "diverged"
    assert len(result.curve) == 2
    assert len(seen) == 1
    assert not path.exists()


def test_what_a_report_raises_reaches_the_caller(data: Data) -> None:
    class EnoughError(Exception):
        pass

    def report(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        train(network(), data, Recipe(epochs=5), device=CPU, report=report)


def test_weights_are_written_and_load_safely(data: Data, tmp_path: Path) -> None:
    model = network()
    path = tmp_path / "weights.pt"
    result = run(model, data, Recipe(epochs=1), checkpoint=path)
    other = network(1)
    other.load_state_dict(torch.load(path, weights_only=True))
    scores = evaluate(other, data.validation)
    assert (scores.loss, scores.top1) == (result.loss, result.top1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.pt"]


def test_weights_that_cannot_be_written_are_one_clear_line(data: Data, tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="cannot write"):
        run(network(), data, Recipe(epochs=1), checkpoint=tmp_path / "gone" / "weights.pt")


class Idle(nn.Module):
    """Parameters without a gradient to speak of: only weight decay moves them."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(10, 64))
        self.scale = nn.Parameter(torch.ones(10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x.flatten(1), self.matrix) * self.scale * 0


def test_weight_decay_spares_what_has_one_dimension(data: Data) -> None:
    model = Idle()
    run(model, data, Recipe(epochs=1, weight_decay=0.1))
    assert float(model.matrix.detach().max()) < 1
    assert torch.equal(model.scale, torch.ones(10))


def test_a_batch_larger_than_the_data_is_all_of_it(data: Data) -> None:
    assert run(network(), data, Recipe(epochs=1, batch=65_536)).state == "finished"


def test_devices() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("cpu:0") == CPU
    here = torch.accelerator.current_accelerator(check_available=True)
    assert choose_device("auto") == (here or CPU)
    with pytest.raises(ArchError, match=r"no device 'gpu' \(there are: auto, cpu, cuda"):
        choose_device("gpu")
    with pytest.raises(ArchError, match="'cuda:99' is not here"):
        choose_device("cuda:99")


def test_threads_are_given_back() -> None:
    with use_threads(2):
        with use_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
