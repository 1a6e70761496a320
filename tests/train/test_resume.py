"""A run that was interrupted goes on as if nothing had happened, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from archgen.errors import ArchError  # noqa: E402
from archgen.train.checkpoint import save_weights, saved_curve  # noqa: E402
from archgen.train.data import Data, digits  # noqa: E402
from archgen.train.device import use_threads  # noqa: E402
from archgen.train.loop import train  # noqa: E402
from archgen.train.recipe import Recipe  # noqa: E402
from archgen.train.result import Epoch, Result  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
PLAIN = Recipe(epochs=4)


class StopError(Exception):
    """What ends a run from outside."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with use_threads(1):
        yield


@pytest.fixture(scope="module")
def data() -> Data:
    return digits(torch.device("cpu"))


def network(width: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(64 * width, 10),
    )


def go(
    data: Data,
    recipe: Recipe,
    path: Path | None,
    *,
    stop: int | None = None,
    every: bool = True,
    model: nn.Module | None = None,
) -> tuple[Result, nn.Module, list[int], list[str]]:
    """Train; with ``stop``, break off in the middle of the epoch behind that one."""
    model = model or network()
    seen: list[int] = []
    notes: list[str] = []

    def beat() -> None:
        if stop == (seen[-1] if seen else 0):
            raise StopError

    result = train(
        model,
        data,
        recipe,
        device=CPU,
        report=lambda epoch: seen.append(epoch.epoch),
        state=path,
        every_epoch=every,
        beat=beat,
        note=notes.append,
    )
    return result, model, seen, notes


def figures(curve: tuple[Epoch, ...]) -> list[tuple[float, ...]]:
    return [(e.epoch, e.lr, e.train_loss, e.loss, e.top1) for e in curve]


def equal(one: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    "recipe",
    [
        PLAIN,
        Recipe(
            epochs=4,
            optimizer="adamw",
            lr=0.01,
            schedule="step",
            accumulate=3,
            mixup=0.3,
            cutmix=0.5,
            ema=0.9,
            clip=1.0,
            label_smoothing=0.1,
        ),
        Recipe(epochs=4, precision="bfloat16", memory_format="channels_last", ema=0.9),
        Recipe(epochs=4, precision="float16"),
    ],
    ids=["plain", "everything", "bfloat16", "float16"],
)
def test_the_same_bits_as_uninterrupted(data: Data, tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "state.pt"
    whole, straight, _, _ = go(data, recipe, None)
    for stop in (0, 1, 3):
        with pytest.raises(StopError):
            go(data, recipe, path, stop=stop)
        assert len(saved_curve(path)) == stop
    result, resumed, seen, notes = go(data, recipe, path, model=network())
    assert seen == [4]
    assert notes == ["going on behind epoch 3 of 4"]
    assert figures(result.curve) == figures(whole.curve)
    assert equal(straight, resumed)
    seconds = [epoch.seconds for epoch in result.curve]
    assert seconds == sorted(seconds)


def test_a_finished_run_is_not_trained_again(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    recipe = PLAIN.model_copy(update={"ema": 0.9})
    whole, model, _, _ = go(data, recipe, path)
    assert saved_curve(path) == whole.curve
    again, other, seen, _ = go(data, recipe, path)
    assert seen == []
    assert again == whole
    assert equal(model, other)


def test_a_state_is_written_when_that_is_cheap(data: Data, tmp_path: Path) -> None:
    """This run takes far less than fifty times what writing may take: only its end is written."""
    path = tmp_path / "state.pt"
    with pytest.raises(StopError):
        go(data, PLAIN, path, stop=3, every=False)
    assert not path.exists()
    go(data, PLAIN, path, every=False)
    assert len(saved_curve(path)) == 4


@pytest.mark.parametrize(
    ("other", "width", "said"),
    [
        ({"lr": 0.05}, 8, "lr 0.1 there, 0.05 here"),
        ({"epochs": 5, "seed": 1}, 8, "epochs 4 there, 5 here, seed 0 there, 1 here"),
        ({}, 9, "another network"),
    ],
)
def test_the_state_of_another_run_is_refused(
    data: Data, tmp_path: Path, other: dict[str, object], width: int, said: str
) -> None:
    path = tmp_path / "state.pt"
    go(data, PLAIN, path)
    before = path.read_bytes()
    with pytest.raises(ArchError) as caught:
        go(data, PLAIN.model_copy(update=other), path, model=network(width))
    assert caught.value.file == str(path)
    assert f"the state of another run: {said}; give the values of that run" in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "foreign"])
def test_a_damaged_state_is_set_aside(data: Data, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.pt"
    with pytest.raises(StopError):
        go(data, PLAIN, path, stop=2)
    content = path.read_bytes()
    if damage == "foreign":
        torch.save([1, 2], path)
    else:
        path.write_bytes({"cut": content[:-100], "empty": b"", "text": b"no state"}[damage])
    assert saved_curve(path) == ()
    kept = path.read_bytes()
    result, _, seen, notes = go(data, PLAIN, path)
    assert seen == [1, 2, 3, 4]
    assert result.state == "finished"
    (note,) = notes
    assert note.endswith("now called state.pt.damaged; the run starts from the beginning")
    assert (tmp_path / "state.pt.damaged").read_bytes() == kept


def test_a_state_runs_no_code(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save({"mark": nn.Linear(1, 1)}, path)
    _, _, _, notes = go(data, PLAIN, path)
    assert "is damaged" in notes[0]


def test_what_cannot_be_read_or_written_is_one_clear_line(data: Data, tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="cannot write: there is no folder"):
        go(data, PLAIN, tmp_path / "gone" / "state.pt")
    with pytest.raises(ArchError, match="cannot read: is a directory"):
        go(data, PLAIN, tmp_path)


def test_weights_are_written_whole_and_load_safely(tmp_path: Path) -> None:
    model, path = network(), tmp_path / "weights.pt"
    save_weights(model, path)
    other = network()
    nn.init.zeros_(other[0].weight)
    other.load_state_dict(torch.load(path, weights_only=True))
    assert equal(model, other)
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.pt"]
    with pytest.raises(ArchError, match="cannot write"):
        save_weights(model, tmp_path / "gone" / "weights.pt")
