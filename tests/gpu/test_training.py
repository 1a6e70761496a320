"""Training on a CUDA device: precision, memory, resumption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import archgen
from archgen.train.data import Data, load_data
from archgen.train.loop import train
from archgen.train.recipe import Recipe
from archgen.train.result import Epoch, Result

CUDA = torch.device("cuda", 0)


@pytest.fixture(scope="module")
def digits() -> Data:
    return load_data("digits", CUDA)


def run(
    data: Data, *, spec: str = "pyramidnet_digits", state: Path | None = None, **more: Any
) -> Result:
    recipe = Recipe(**{"epochs": 3, "batch": 128, "lr": 0.05, **more})
    torch.manual_seed(recipe.seed)
    model = archgen.build(archgen.load(spec))
    return train(model, data, recipe, device=CUDA, report=lambda _: None, state=state)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_every_precision_learns(digits: Data, precision: str, layout: str) -> None:
    result = run(digits, precision=precision, memory_format=layout, epochs=6)
    assert result.state == "finished"
    assert result.top1 > 90


def test_auto_keeps_the_fastest_safe_choice(digits: Data) -> None:
    result = run(digits, precision="auto", memory_format="auto")
    timed = result.setting.seconds
    assert len(timed) == 4
    chosen = timed[f"{result.setting.precision}, {result.setting.memory_format}"]
    assert chosen <= 1.03 * min(timed.values())


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let this process have 2 % of the device's memory, and no more."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.02, 0)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)
        torch.cuda.empty_cache()


def test_out_of_memory_goes_on_with_half_the_batch(little_memory: None, digits: Data) -> None:
    """The largest batch that fits, by trying, and then twice that."""
    net = archgen.load("pyramidnet_digits").set({"input": [1, 64, 64]})
    images = torch.zeros(1, 1, 64, 64, device=CUDA)
    batch = 16
    while batch < 2**16:
        model = archgen.build(net).to(CUDA)
        try:
            model(images.expand(batch, -1, -1, -1)).sum().backward()
        except torch.OutOfMemoryError:
            break
        finally:
            del model
            torch.cuda.empty_cache()
        batch *= 2
    large = load_data("digits", CUDA)
    split = large.train
    repeated = -(-2 * batch // len(split))
    from dataclasses import replace

    grown = replace(
        split,  # type: ignore[type-var]
        images=torch.nn.functional.interpolate(split.images, (64, 64)).repeat(repeated, 1, 1, 1),  # type: ignore[attr-defined]
        labels=split.labels.repeat(repeated),  # type: ignore[attr-defined]
    )
    small = replace(
        large.validation,  # type: ignore[type-var]
        images=torch.nn.functional.interpolate(large.validation.images, (64, 64)),  # type: ignore[attr-defined]
    )
    data = replace(large, train=grown, validation=small)
    torch.manual_seed(0)
    recipe = Recipe(epochs=1, batch=batch, lr=0.05, augment=False)
    result = train(archgen.build(net), data, recipe, device=CUDA, report=lambda _: None)
    assert result.state == "finished"
    assert result.setting.parts == 2


def test_a_run_goes_on_from_its_state(digits: Data, tmp_path: Path) -> None:
    whole = run(digits, epochs=4)
    path = tmp_path / "state.pt"

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    recipe = Recipe(epochs=4, batch=128, lr=0.05)
    torch.manual_seed(0)
    model = archgen.build(archgen.load("pyramidnet_digits"))
    with pytest.raises(KeyboardInterrupt):
        train(model, digits, recipe, device=CUDA, report=stop, state=path, every_epoch=True)
    again = run(digits, epochs=4, state=path)
    assert [epoch.epoch for epoch in again.curve] == [1, 2, 3, 4]
    # CUDA's sums are not in a fixed order: near, not equal.
    for one, other in zip(whole.curve, again.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=0.2, abs=0.05)
