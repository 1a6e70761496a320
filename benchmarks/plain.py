"""A search as Optuna's tutorials write it, around a network as model libraries write them.

    python benchmarks/plain.py TRIALS SEED

Float32, one process, as many threads as torch takes, torch's `DataLoader` with torchvision's
transforms; Optuna's TPE and its median pruner. The peer of `benchmarks/search.py`: the same
data, recipe, limits and additive widths as archgen's study.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import optuna
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms import v2

from archgen.study import load_study
from archgen.train.data import load_data

DEPTHS = [[1, 1, 1], [1, 1, 2], [1, 2, 1], [2, 1, 1], [1, 2, 2], [2, 2, 2], [3, 3, 3]]
RECIPE = load_study("pyramid").train
DATA = load_data("digits", torch.device("cpu"))


class Digits(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """A split as tutorials have it: an image at a time, shifted by a transform."""

    def __init__(self, split: Any, transform: Any = None) -> None:
        self.images, self.labels, self.transform = split.images, split.labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = self.images[index]
        return self.transform(image) if self.transform else image, self.labels[index]


class Unit(nn.Module):
    """A pyramidal unit: norm, 3x3, norm, relu, 3x3, norm; the shortcut is padded or a 1x1."""

    def __init__(self, inp: int, out: int, stride: int, widen: str) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inp)
        self.conv1 = nn.Conv2d(inp, out, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(out)
        self.down = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.widen = None
        if widen == "conv" and inp != out:
            self.widen = nn.Sequential(nn.Conv2d(inp, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C', H', W')."""
        y = functional.relu(self.norm2(self.conv1(self.norm1(x))))
        y = self.norm3(self.conv2(y))
        x = self.down(x)
        if self.widen is not None:
            x = self.widen(x)
        elif y.shape[1] > x.shape[1]:
            x = functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        z: torch.Tensor = x + y
        return z


class PyramidNet(nn.Module):
    """For 8x8 digits: widths grow by alpha over all units."""

    def __init__(self, alpha: int, depth: list[int], widen: str) -> None:
        super().__init__()
        inp, unit = 16, 0
        layers: list[nn.Module] = [nn.Conv2d(1, inp, 3, 1, 1, bias=False), nn.BatchNorm2d(inp)]
        for stage, count in enumerate(depth):
            for index in range(count):
                unit += 1
                out = int(16 + alpha * unit / sum(depth))
                layers.append(Unit(inp, out, 2 if stage and not index else 1, widen))
                inp = out
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(inp), nn.ReLU())
        self.head = nn.Linear(inp, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, 8, 8) to (N, 10)."""
        y: torch.Tensor = self.head(self.body(x).mean((2, 3)))
        return y


def objective(trial: optuna.Trial) -> float:
    """Build, look at the limits, train, report each epoch."""
    alpha = trial.suggest_int("alpha", 4, 84)
    depth = DEPTHS[trial.suggest_categorical("depth", range(len(DEPTHS)))]
    widen = trial.suggest_categorical("widen", ["zeros", "conv"])
    torch.manual_seed(RECIPE.seed)
    model = PyramidNet(alpha, depth, widen)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, 8, 8))
    params = sum(p.numel() for p in model.parameters())
    if params > 200e3 or counter.get_total_flops() / 2 > 3e6:
        raise optuna.TrialPruned
    trial.set_user_attr("trained", value=True)
    return trained(trial, model)


def trained(trial: optuna.Trial, model: nn.Module) -> float:
    """The validation accuracy at the end, in percent."""
    optimiser = torch.optim.SGD(
        model.parameters(), lr=RECIPE.lr, momentum=0.9, nesterov=True,
        weight_decay=RECIPE.weight_decay,
    )  # fmt: skip
    train = Digits(DATA.train, v2.RandomCrop(8, padding=1))
    batches = DataLoader(train, RECIPE.batch, shuffle=True, drop_last=True)
    judged = DataLoader(Digits(DATA.validation), 256)
    steps, step, top1 = len(DATA.train) // RECIPE.batch, 0, 0.0
    for epoch in range(RECIPE.epochs):
        model.train()
        for images, labels in batches:
            for group in optimiser.param_groups:
                group["lr"] = RECIPE.rate(step, steps)
            optimiser.zero_grad()
            loss: Any = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimiser.step()
            step += 1
        model.eval()
        with torch.no_grad():
            right = sum(int((model(x).argmax(1) == y).sum()) for x, y in judged)
        top1 = 100 * right / len(DATA.validation)
        trial.report(top1, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return top1


def main(trials: int, seed: int) -> None:
    """Search until so many candidates were trained, and print what it took."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5),
    )

    def count() -> int:
        return sum("trained" in trial.user_attrs for trial in study.get_trials(deepcopy=False))

    def enough(_: optuna.Study, __: object) -> None:
        if count() >= trials:
            study.stop()

    began = time.perf_counter()
    study.optimize(objective, callbacks=[enough])
    hours = (time.perf_counter() - began) / 3600
    print(json.dumps({"hours": hours, "trained": count(), "best": study.best_value}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
