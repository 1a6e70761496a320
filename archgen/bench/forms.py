"""The forms in which a network runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from warnings import catch_warnings

import torch
from torch import Tensor, nn

from archgen.bench.conditions import Conditions, Form
from archgen.bench.extras import needs
from archgen.bench.subjects import Subject
from archgen.bench.timing import Run
from archgen.errors import ArchError
from archgen.nn import deploy

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@contextmanager
def whole_float32() -> Iterator[None]:
    """Keep cuDNN from TF32, which rounds what convolutions in float32 read to 10 bits."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def check_form(form: Form, conditions: Conditions) -> None:
    """Refuse a form that is not to be had here, before anything is built.

    Raises:
        ArchError: Something that it needs is not installed, or it does not run so.
    """
    if form != "onnxruntime":
        return
    if (conditions.device, conditions.dtype) != ("cpu", "float32"):
        wanted = f"not in {conditions.dtype} on {conditions.device}"
        raise ArchError("form", f"onnxruntime is measured on the cpu in float32, {wanted}")
    with needs("onnx", "onnxruntime", "onnxscript", extra="onnx"):
        import onnx  # noqa: F401 - the exporter needs it
        import onnxruntime  # noqa: F401 - it runs what was exported
        import onnxscript  # noqa: F401 - the exporter needs it


def make_form(form: Form, subject: Subject, conditions: Conditions) -> Run:
    """Prepare a network to run in a form, over the same random images each time.

    Call it outside of ``torch.inference_mode``, and what it gives inside: an array comes of it, or
    a list or tuple of them.

    Raises:
        ArchError: As `check_form` does.
    """
    check_form(form, conditions)
    random = torch.Generator().manual_seed(0)
    images = torch.randn(conditions.batch, *subject.input, generator=random)
    if form == "onnxruntime":
        return _onnxruntime(subject, images, conditions)
    layout = LAYOUTS[conditions.memory_format]
    where: dict[str, Any] = {
        "device": conditions.device,
        "dtype": getattr(torch, conditions.dtype),
        "memory_format": layout,
    }
    model = deploy(subject.model) if form == "folded" else deepcopy(subject.model)
    model, images = model.to(**where), images.to(**where)
    if form == "compiled":
        run: Callable[[Tensor], Any] = torch.compile(model)
        return lambda: run(images)
    return lambda: model(images)


def _onnxruntime(subject: Subject, images: Tensor, conditions: Conditions) -> Run:
    """Export a network and load it into ONNX Runtime, which folds what it can by itself."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = conditions.threads
    # Threads that went on spinning after a run would take the cores from who has the next turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        _export(subject.model, images, file)
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images.numpy()}
    return lambda: session.run(None, feed)


def _export(model: nn.Module, images: Tensor, file: Path) -> None:
    with catch_warnings(action="ignore"):  # of the exporter's own deprecations
        torch.onnx.export(model, (images,), file, dynamo=True, verbose=False)
