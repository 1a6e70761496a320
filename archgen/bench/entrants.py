"""What takes part in a measurement: networks in forms that give the same numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch

from archgen.bench.conditions import Conditions, Form
from archgen.bench.forms import make_form, whole_float32
from archgen.bench.subjects import Subject
from archgen.bench.timing import Run
from archgen.errors import ArchError
from archgen.ops import Shape
from archgen.train.device import out_of_memory


@dataclass(frozen=True)
class Entrant:
    """A network in a form.

    Args:
        name: The network's.
        form: How it runs.
        input: Shape of an image.
        run: One forward over a batch; to be called in ``torch.inference_mode``.
        packages: That built it, and that compute it.
    """

    name: str
    form: Form
    input: Shape
    run: Run
    packages: tuple[str, str]


@whole_float32()
def entrants(
    subjects: Sequence[Subject], forms: Sequence[Form], conditions: Conditions
) -> list[Entrant]:
    """Prepare every network in every form that it has, and see that all its forms agree.

    A form has to give what eager gives on the same images, to half of the digits that the dtype
    has, relative to the largest number in an output.

    Raises:
        ArchError: A form cannot be had, does not run here, or gives other numbers; or a network
            has none of the forms.
    """
    found = []
    for subject in subjects:
        suited = [form for form in forms if subject.folds or form != "folded"]
        if not suited:
            message = "this cannot be folded (there are: eager, compiled, onnxruntime)"
            raise ArchError(subject.name, message)
        found += _of(subject, suited, conditions)
    return found


def _of(subject: Subject, forms: Sequence[Form], conditions: Conditions) -> list[Entrant]:
    eager, expected = _tried("eager", subject, conditions)
    if not all(bool(output.isfinite().all()) for output in expected):
        message = f"its outputs are no finite numbers in {conditions.dtype}"
        raise ArchError(subject.name, message)
    tolerance = sqrt(torch.finfo(getattr(torch, conditions.dtype)).eps)
    found = []
    for form in forms:
        run, outputs = (eager, expected) if form == "eager" else _tried(form, subject, conditions)
        off = difference(outputs, expected)
        if not off <= tolerance:
            message = f"form {form!r} gives other numbers than eager: they differ by {off:.1e}"
            raise ArchError(subject.name, f"{message} of the largest, {tolerance:.1e} may be")
        computes = "onnxruntime" if form == "onnxruntime" else "torch"
        packages = (subject.package, computes)
        found.append(Entrant(subject.name, form, subject.input, run, packages))
    return found


def difference(outputs: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> float:
    """Give the largest difference of an output, relative to its largest number; NaN for NaN."""
    return max(
        float((there - here).abs().max() / here.abs().max().clamp(min=1e-30))
        for there, here in zip(outputs, expected, strict=True)
    )


def _tried(form: Form, subject: Subject, conditions: Conditions) -> tuple[Run, list[torch.Tensor]]:
    """Make a form and run it once.

    Raises:
        ArchError: It does not run here.
    """
    try:
        run = make_form(form, subject, conditions)
        with torch.inference_mode():
            return run, _outputs(run())
    except ArchError:
        raise
    except Exception as error:  # compilers and exporters raise whatever goes wrong in them
        if out_of_memory(error):
            raise
        said = re.sub(r"\s+", " ", str(error).strip().partition("\n")[0]) or type(error).__name__
        raise ArchError(subject.name, f"form {form!r} does not run here: {said}") from error


def _outputs(result: Any) -> list[torch.Tensor]:
    every = result if isinstance(result, list | tuple) else [result]
    return [torch.as_tensor(output).to("cpu", torch.float64) for output in every]
