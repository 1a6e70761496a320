"""``archgen cost``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

import typer

from archgen.cli.console import note, print_json, print_table, print_text, threads_said
from archgen.cli.options import Batch, Blocks, Json, Set, Specs, load_one_of, use_blocks
from archgen.cli.show import headline
from archgen.errors import ArchError, first
from archgen.precision import Precision

if TYPE_CHECKING:
    from archgen.latency import Calibration
    from archgen.spec import Net
    from archgen.view import CostRow


Optimizer: TypeAlias = Literal["sgd", "adamw"]
Key: TypeAlias = Literal[
    "name",
    "params",
    "macs",
    "depth",
    "receptive_field",
    "saved_bytes",
    "peak_bytes",
    "training_bytes",
    "latency",
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
    """What a network costs: exact counts, and seconds of a forward pass where they are known."""

    counted: CostRow
    seconds: float | None

    def document(self, calibration: Calibration | None) -> dict[str, Any]:
        """Give it as plain data, without an estimate where nothing is calibrated."""
        counts = asdict(self.counted)
        if calibration is None:
            return counts
        estimate = None
        if self.seconds is not None:
            holds = calibration.model_dump(include={"threads", "processor", "cores", "torch"})
            estimate = {"seconds": self.seconds, "form": "eager", "dtype": "float32", **holds}
        return counts | {"latency_estimate": estimate}

    def figure(self, key: Key) -> Any:
        """Give what rows are put in order by."""
        return self.seconds if key == "latency" else getattr(self.counted, key)


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
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="That the latency is estimated for.",
            show_default="most of those that are calibrated",
        ),
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Count what networks cost: parameters, MACs, memory, depth, receptive field.

    One network with all parts of its memory, or one row for each of several. Where 'archgen
    calibrate' has measured this machine, the latency of a forward pass is estimated as well: in
    eager mode and float32.

    Examples:
        archgen cost dpn98 --batch 32
        archgen cost resnet50 dpn68 densenet121 --sort macs
        archgen cost specs/*.yaml --json
    """
    from archgen.analysis import cost as counted
    from archgen.view import cost_row

    use_blocks(blocks)
    nets = [load_one_of(spec, set_) for spec in specs]
    calibration = _calibrated(threads, needed=threads is not None or sort == "latency")
    counts = [cost_row(net, batch, optimizer, ema=ema, dtype=dtype) for net in nets]
    rows = [*map(Row, counts, _estimates(nets, calibration, batch))]
    if sort is not None:
        rows.sort(key=lambda row: _order(row.figure(sort)))
    if json:
        documents = [row.document(calibration) for row in rows]
        print_json(documents if len(rows) > 1 else documents[0])
    elif len(rows) > 1:
        _print_many(rows, ema, calibration)
    else:
        print_text(headline(nets[0], counted(nets[0])))
        print_text("")
        _print_one(rows[0].counted, calibration, rows[0].seconds)


def _calibrated(threads: int | None, *, needed: bool) -> Calibration | None:
    """Read what is calibrated.

    Raises:
        ArchError: Nothing is, and it was asked for.
    """
    from archgen.latency import calibrated

    again = "run 'archgen calibrate'"
    if threads is not None:
        again = f"run 'archgen calibrate --threads {threads}'"
    found = calibrated(
        threads, damaged=lambda path: note(f"calibration {path} is damaged; {again}")
    )
    if found is None and needed:
        said = "" if threads is None else f" for {threads_said(threads)}"
        raise ArchError("latency", f"nothing is calibrated here{said}; {again}")
    return found


def _estimates(
    nets: Sequence[Net], calibration: Calibration | None, batch: int
) -> list[float | None]:
    """Estimate what can be, and note what cannot."""
    from archgen.latency import latency

    found: list[float | None] = []
    without: dict[str, list[str]] = {}
    for net in nets:
        try:
            found.append(None if calibration is None else latency(net, calibration, batch))
        except ArchError as error:
            found.append(None)
            without.setdefault(str(error), []).append(net.name)
    for why, names in without.items():
        note(f"no latency of {first(names)}: {why}")
    return found


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
    if calibration is not None:
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
         *([] if calibration is None else [_milliseconds(seconds)]))
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
    return f"eager, float32, {threads_said(calibration.threads)}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:,.1f} ms"


def _side(row: CostRow) -> str:
    return "-" if row.receptive_field is None else f"{row.receptive_field:,}"
