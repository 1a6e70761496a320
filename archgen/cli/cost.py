"""``archgen cost``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

import typer

from archgen.cli.console import print_json, print_table, print_text
from archgen.cli.options import Batch, Blocks, Json, Set, Specs, load_one_of, use_blocks
from archgen.cli.show import headline

if TYPE_CHECKING:
    from archgen.latency import Calibration
    from archgen.view import CostRow


Optimizer: TypeAlias = Literal["sgd", "adamw"]
Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
Key: TypeAlias = Literal[
    "name",
    "params",
    "macs",
    "depth",
    "receptive_field",
    "saved_bytes",
    "peak_bytes",
    "training_bytes",
]
OPTIMIZERS: dict[Optimizer, str] = {"sgd": "SGD with momentum", "adamw": "AdamW"}
PARTS = {
    "parameters": "parameters",
    "buffers": "running statistics",
    "gradients": "gradients",
    "optimizer": "optimizer state",
    "average": "moving average",
    "activations": "saved for backward",
    "copies": "saved copies of weights",
}
"""What people call the parts of `TrainingMemory`."""


class Row(NamedTuple):
    """What a network costs: exact counts, and seconds of a forward pass where calibrated."""

    counted: CostRow
    seconds: float | None

    def document(self) -> dict[str, Any]:
        """Give it as plain data, without an estimate where there is none."""
        estimate = {} if self.seconds is None else {"latency_estimate": self.seconds}
        return asdict(self.counted) | estimate


def cost(
    specs: Specs,
    batch: Batch = 1,
    optimizer: Annotated[Optimizer, typer.Option(help="What trains it; SGD has momentum.")] = "sgd",
    ema: Annotated[
        bool, typer.Option("--ema", help="A moving average of the weights is kept.")
    ] = False,
    dtype: Annotated[
        Precision, typer.Option(help="The precision of training, by autocast.")
    ] = "float32",
    sort: Annotated[
        Key | None,
        typer.Option(help="Order the rows, least first.", show_default="as they are given"),
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Count what networks cost: parameters, MACs, memory, depth, receptive field.

    One network with all parts of its memory, or one row for each of several. Where 'archgen
    calibrate' has measured this machine, the latency of a forward pass is estimated as well.

    Examples:
        archgen cost dpn98 --batch 32
        archgen cost resnet50 dpn68 densenet121 --sort macs
        archgen cost specs/*.yaml --json
    """
    from archgen.analysis import cost as counted
    from archgen.latency import calibrated, latency
    from archgen.view import cost_row

    use_blocks(blocks)
    nets = [load_one_of(spec, set_) for spec in specs]
    calibration = calibrated()
    rows = [
        Row(
            cost_row(net, batch, optimizer, ema=ema, dtype=dtype),
            None if calibration is None else latency(net, calibration, batch),
        )
        for net in nets
    ]
    if sort is not None:
        rows.sort(key=lambda row: _order(getattr(row.counted, sort)))
    if json:
        documents = [row.document() for row in rows]
        print_json(documents if len(rows) > 1 else documents[0])
    elif len(rows) > 1:
        _print_many(rows, ema, calibration)
    else:
        print_text(headline(nets[0], counted(nets[0])))
        print_text("")
        _print_one(rows[0].counted, calibration, rows[0].seconds)


def _order(value: Any) -> tuple[bool, Any]:
    """Sort what has no such figure behind the rest."""
    return value is None, value


def _print_one(row: CostRow, calibration: Calibration | None, seconds: float | None) -> None:
    from archgen.view import mebibytes

    beside = f"{row.parallel} layers side by side" if row.parallel > 1 else ""
    figures = [
        ("parameters", f"{row.params:,}", ""),
        ("MACs", f"{row.macs:,}", ""),
        ("MACs, critical path", f"{row.critical_macs:,}", beside),
        ("receptive field", _side(row), "of the last map, in pixels"),
        ("peak in inference", mebibytes(row.peak_bytes), "most activations at once, float32"),
    ]
    if calibration is not None and seconds is not None:
        figures.append(("latency (estimate)", _milliseconds(seconds), _how(calibration)))
    print_table(["", f">batch {row.batch}", ""], figures)
    print_text("")
    parts = asdict(row.training).items()
    memory = [
        (PARTS[part], mebibytes(count), f"{count / row.training_bytes:.1%}")
        for part, count in parts
        if count
    ]
    memory.append(("total", mebibytes(row.training_bytes), ""))
    told = f"training in {row.dtype}, {OPTIMIZERS[row.optimizer]}"
    print_table([told, f">batch {row.batch}", ">share"], memory)


def _print_many(rows: Sequence[Row], ema: bool, calibration: Calibration | None) -> None:
    from archgen.ops import size
    from archgen.view import mebibytes, short

    cells = [
        (row.name, size(row.input), short(row.params), short(row.macs), row.depth, _side(row),
         *map(mebibytes, (row.saved_bytes, row.peak_bytes, row.training_bytes)),
         *([] if seconds is None else [_milliseconds(seconds)]))
        for row, seconds in rows
    ]  # fmt: skip
    headings = ["network", ">input", ">params", ">MACs", ">depth", ">field", ">saved", ">alive",
                ">training"]  # fmt: skip
    one = rows[0].counted  # all are counted alike
    told = f"batch {one.batch}, training in {one.dtype}, {OPTIMIZERS[one.optimizer]}"
    told += ", moving average" if ema else ""
    if calibration is not None:
        headings.append(">latency")
        told += f"; latency is an estimate: {_how(calibration)}"
    print_text(told)
    print_text("")
    print_table(headings, cells, elastic=["network"])


def _how(calibration: Calibration) -> str:
    threads = "1 thread" if calibration.threads == 1 else f"{calibration.threads} threads"
    return f"eager, float32, {threads}"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.1f} ms"


def _side(row: CostRow) -> str:
    return "-" if row.receptive_field is None else f"{row.receptive_field:,}"
