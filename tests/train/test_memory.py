"""Out of memory: once more with half the batch at a time, then a result. Allocations are real."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from archgen.train.data import digits  # noqa: E402
from archgen.train.loop import train  # noqa: E402
from archgen.train.recipe import Recipe  # noqa: E402
from archgen.train.result import Result  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
DATA = digits(torch.device("cpu"))


class Greedy(nn.Module):
    """A linear network that asks for a petabyte when it trains on more than ``fits`` images.

    Args:
        fits: The most images.
        after: How many passes go well before.
    """

    def __init__(self, fits: int, after: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(64, 10)
        self.fits, self.left = fits, after
        self.largest = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > self.fits:
            self.left -= 1
            if self.left < 0:
                torch.empty(2**50)
        self.largest = len(x) if self.training else self.largest
        y: torch.Tensor = self.linear(x.flatten(1))
        return y


def run(model: nn.Module, recipe: Recipe, state: Path | None = None) -> tuple[Result, list[str]]:
    notes: list[str] = []
    result = train(
        model,
        DATA,
        recipe,
        device=CPU,
        report=lambda _: None,
        state=state,
        every_epoch=True,
        note=notes.append,
    )
    return result, notes


def weights(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


@pytest.mark.parametrize("after", [0, 20, 40])
def test_half_the_batch_goes_on_from_the_last_good_epoch(after: int) -> None:
    """The steps stay the same, so a network without norms learns what it would have learned."""
    recipe = Recipe(epochs=3)
    whole, _ = run(large := Greedy(64), recipe)
    result, notes = run(small := Greedy(32, after), recipe)
    assert result.state == "finished"
    assert (result.setting.parts, small.largest) == (2, 32)
    (note,) = notes
    assert note.startswith("out of memory; once more with batches in 2 parts (")
    assert [e.epoch for e in result.curve] == [1, 2, 3]
    assert [e.lr for e in result.curve] == [e.lr for e in whole.curve]
    torch.testing.assert_close(weights(small), weights(large), rtol=1e-3, atol=1e-5)


def test_what_does_not_fit_in_halves_is_a_result() -> None:
    result, notes = run(Greedy(20, after=20), Recipe(epochs=3))
    assert result.state == "memory"
    assert "allocate memory" in result.reason
    assert "\n" not in result.reason
    assert len(result.curve) == 1
    assert len(notes) == 1


def test_a_network_that_does_not_fit_by_itself_is_a_result() -> None:
    class Large(Greedy):
        def to(self, *_: object, **__: object) -> Large:
            raise torch.OutOfMemoryError("out of memory")

    result, notes = run(Large(64), Recipe(epochs=1))
    assert (result.state, result.curve, len(notes)) == ("memory", (), 1)


def test_two_images_are_not_halved() -> None:
    result, notes = run(Greedy(1), Recipe(epochs=1, batch=2))
    assert (result.state, result.curve, notes) == ("memory", (), [])


def test_parts_that_were_found_are_kept_over_an_interruption(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    recipe = Recipe(epochs=3)
    whole, _ = run(first := Greedy(32), recipe)

    class StopError(Exception):
        pass

    def stop(_: object) -> None:
        raise StopError

    with pytest.raises(StopError):
        train(Greedy(32), DATA, recipe, device=CPU, report=stop, state=path, every_epoch=True)
    result, notes = run(second := Greedy(32), recipe, path)
    assert notes == ["going on behind epoch 1 of 3"]
    assert [e.loss for e in result.curve] == [e.loss for e in whole.curve]
    assert torch.equal(weights(first), weights(second))


def test_other_errors_are_errors() -> None:
    class Wrong(Greedy):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x[:, :, 1:])

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run(Wrong(64), Recipe(epochs=1))
