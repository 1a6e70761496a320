"""The loop: repeats exactly, learns, does what the recipe says, ends on what is no number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from archgen.train.data import Data, digits  # noqa: E402
from archgen.train.device import use_threads  # noqa: E402
from archgen.train.evaluate import evaluate  # noqa: E402
from archgen.train.loop import train  # noqa: E402
from archgen.train.recipe import Recipe  # noqa: E402
from archgen.train.result import Epoch, Result  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with use_threads(1):
        yield


@pytest.fixture(scope="module")
def data() -> Data:
    return digits(torch.device("cpu"))


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


def run(model: nn.Module, data: Data, recipe: Recipe) -> Result:
    return train(model, data, recipe, device=CPU, report=lambda _: None)


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
    judged = evaluate(model, data.validation)
    assert (result.loss, result.top1) == (judged.loss, judged.top1)


class Broken(nn.Module):
    """A bias alone, and a loss that is no number from the second epoch on."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(10))
        self.passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += self.training
        return self.bias.expand(len(x), 10) * (1 if self.passes <= 16 else float("nan"))


def test_a_loss_that_is_no_number_ends_the_run(data: Data) -> None:
    seen: list[Epoch] = []
    result = train(Broken(), data, Recipe(epochs=5), device=CPU, report=seen.append)
    assert result.state == "diverged"
    assert result.reason == "the training loss was no finite number in epoch 2 (nan)"
    assert len(result.curve) == 2
    assert len(seen) == 1


def test_what_a_report_raises_reaches_the_caller(data: Data) -> None:
    class EnoughError(Exception):
        pass

    def report(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        train(network(), data, Recipe(epochs=5), device=CPU, report=report)


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


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_all_may_decay(data: Data, optimizer: str) -> None:
    model = Idle()
    run(model, data, Recipe(epochs=1, weight_decay=0.1, decay="all", optimizer=optimizer))
    assert float(model.scale.detach().max()) < 1


def test_adamw_learns(data: Data) -> None:
    assert run(network(), data, Recipe(epochs=3, optimizer="adamw", lr=0.01)).top1 > 90


def test_parts_of_a_batch_add_up(data: Data) -> None:
    """Without norms and dropout, a batch in parts gives what it gives at once."""
    states = []
    for parts in (1, 3):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        run(model, data, Recipe(epochs=1, batch=64, accumulate=parts))
        states.append(model.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-4, atol=1e-5)


def test_gradients_are_clipped(data: Data) -> None:
    """Without momentum, one step of rate 1 moves all weights together by the norm at most."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    recipe = Recipe(
        epochs=1, batch=2000, lr=1.0, warmup=0.0, momentum=0.0, weight_decay=0.0, clip=0.01
    )
    run(model, data, recipe)
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(0.01, rel=1e-3)


def test_the_average_of_weights_is_judged_and_kept(data: Data) -> None:
    """Over one step: the first average is a copy, so that both models end alike."""
    plain, averaged = network(dropout=0), network(dropout=0)
    recipe = Recipe(epochs=1, batch=2000)
    run(plain, data, recipe)
    run(averaged, data, recipe.model_copy(update={"ema": 0.9}))
    for name, value in plain.state_dict().items():
        assert torch.equal(averaged.state_dict()[name], value), name

    longer = recipe.model_copy(update={"epochs": 2, "ema": 0.9})
    result = run(averaged := network(dropout=0), data, longer)
    run(last := network(dropout=0), data, longer.model_copy(update={"ema": 0.0}))
    run(first := network(dropout=0), data, longer.model_copy(update={"ema": 1 - 1e-9}))
    for name in ("0.weight", "1.running_mean"):
        a, z = first.state_dict()[name], last.state_dict()[name]
        expected = 0.9 * a + 0.1 * z
        torch.testing.assert_close(averaged.state_dict()[name], expected)
    assert evaluate(averaged, data.validation).loss == result.loss


@pytest.mark.parametrize("mixed", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}])
def test_mixing_trains_on_other_images(data: Data, mixed: dict[str, float]) -> None:
    plain = run(network(), data, Recipe(epochs=2))
    one = run(network(), data, Recipe(epochs=2, **mixed))
    assert one.curve[-1].train_loss > plain.curve[-1].train_loss
    assert figures(one) == figures(run(network(), data, Recipe(epochs=2, **mixed)))
    assert one.top1 > 80


def test_every_step_and_judged_batch_is_a_sign_of_life(data: Data) -> None:
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    recipe = Recipe(epochs=2, batch=32)
    train(network(), data, recipe, device=CPU, report=lambda _: None, beat=beat)
    judged = -(-len(data.validation) // 256)
    assert beats == 2 * (len(data.train) // 32 + judged)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_other_settings_learn_the_same(data: Data, precision: str, memory_format: str) -> None:
    seen: set[torch.dtype] = set()

    class Seen(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = super().forward(x)
            # Contiguous maps of one channel, as these come from, lie in both ways at once.
            if memory_format == "channels_last":
                assert y.is_contiguous(memory_format=torch.channels_last)
            seen.add(y.dtype)
            return y

    model = network()
    model[2] = Seen(8, 8, 3, padding=1, bias=False)
    recipe = Recipe(epochs=3, precision=precision, memory_format=memory_format)
    result = run(model, data, recipe)
    assert result.top1 > 80
    assert seen == {getattr(torch, precision)}
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert all(value.is_contiguous() for value in model.parameters())


def test_a_batch_larger_than_the_data_is_all_of_it(data: Data) -> None:
    assert run(network(), data, Recipe(epochs=1, batch=65_536)).state == "finished"
