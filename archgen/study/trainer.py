"""Train, keep and test the candidates of one search. Imports torch inside functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgen.files import write_whole
from archgen.spec import Net
from archgen.study.report import Row, trial_folder
from archgen.study.space import TRAINED, Study, candidate
from archgen.study.storage import SPEC, TRIALS

if TYPE_CHECKING:
    from torch import nn

    from archgen.train.result import Epoch

WEIGHTS, CURVE = "weights.pt", "curve.jsonl"


class Pruned(Exception):  # noqa: N818 - a signal, not an error
    """Raised by a report: the candidate in training is given up."""


class Trainer:
    """What trains a study's candidates: its data on its device.

    Args:
        study: Its recipe, scores and spec are used.
        home: The study's folder.
        device: A name that `choose_device` gave.
    """

    def __init__(self, study: Study, home: Path, device: str) -> None:
        import torch

        from archgen.train.data import load_data

        self.study = study
        self.home = home
        self.device = torch.device(device)
        self.data = load_data(study.train.data, self.device, size=study.net.input)
        # Of two scores, the first that training gives.
        self.watched = next(name for name in study.score if name in TRAINED)

    def train(self, row: Row, net: Net, report: Callable[[Row], None]) -> tuple[Row, nn.Module]:
        """Train one candidate, with its spec and curve in a folder of its own.

        Args:
            row: Not trained yet.
            net: The candidate.
            report: Called after each epoch; may raise `Pruned`.

        Returns:
            The row, complete, pruned or diverged; and the trained module.
        """
        import torch

        from archgen.nn import build
        from archgen.train.loop import train

        place = trial_folder(self.home, row.number)
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / SPEC, net.dump())
        now = row

        def after(epoch: Epoch) -> None:
            nonlocal now
            now = self._grown(now, epoch)
            with (place / CURVE).open("a") as stream:
                stream.write(json.dumps(asdict(epoch)) + "\n")
            report(now)

        recipe = self.study.train
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = build(net)
        try:
            result = train(model, self.data, recipe, device=self.device, report=after)
        except Pruned:
            return replace(now, state="pruned"), model
        if result.state != "finished":
            return replace(now, state="diverged", reason=result.reason), model
        gained: dict[str, Any] = {"top1": now.top1, "loss": now.loss, **row.costs}
        scores = {name: gained[name] for name in self.study.score}
        return replace(now, state="complete", scores=scores), model

    def _grown(self, row: Row, epoch: Epoch) -> Row:
        return replace(
            row,
            top1=epoch.top1,
            loss=epoch.loss,
            epochs=epoch.epoch,
            seconds=round(epoch.seconds, 3),
            curve=(*row.curve, getattr(epoch, self.watched)),
        )

    def keep(self, row: Row, model: nn.Module) -> None:
        """Write a candidate's weights, whole."""
        from archgen.train.checkpoint import save_weights

        save_weights(model, trial_folder(self.home, row.number) / WEIGHTS)

    def keep_only(self, rows: Iterable[Row]) -> None:
        """Remove the weights of all other candidates."""
        kept = {trial_folder(self.home, row.number) for row in rows}
        for path in (self.home / TRIALS).glob(f"*/{WEIGHTS}"):
            if path.parent not in kept:
                path.unlink()

    def test(self, row: Row) -> float:
        """Accuracy on the test split, in percent, of a candidate whose weights were kept."""
        import torch

        from archgen.nn import build
        from archgen.train.evaluate import evaluate

        model = build(candidate(self.study, row.vary), init=False).to(self.device)
        weights = trial_folder(self.home, row.number) / WEIGHTS
        model.load_state_dict(torch.load(weights, map_location=self.device, weights_only=True))
        return evaluate(model, self.data.test).top1
