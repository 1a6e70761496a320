"""``archgen bench``: how long networks take here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor, log10
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from archgen.bench.conditions import Conditions, Form, MemoryFormat
from archgen.cli.build import enough_memory, refuse_large
from archgen.cli.console import (
    measuring,
    note,
    print_json,
    print_table,
    print_text,
    threads_said,
    working,
)
from archgen.cli.options import Blocks, Device, Json, Set, Spec, complete_spec, load_net
from archgen.errors import ArchError, unknown
from archgen.precision import Precision

if TYPE_CHECKING:
    from archgen.bench.entrants import Entrant
    from archgen.bench.run import Bench, Row
    from archgen.bench.timing import Spread
    from archgen.spec import Net

TIMM = "timm:"


def bench(
    spec: Spec,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|timm:NAME",
            help="A network to compare it with, the first row; timm's gets images of the same "
            "size.",
            autocompletion=complete_spec,
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            metavar="FORM[,FORM...]",
            help="eager, folded (--deploy of 'archgen build'), compiled (torch.compile) and "
            "onnxruntime.",
        ),
    ] = "eager",
    batch: Annotated[int, typer.Option(min=1, max=65_536, help="Images at once.")] = 1,
    dtype: Annotated[
        Precision, typer.Option(help="Of weights and images; there is no autocast.")
    ] = "float32",
    memory_format: Annotated[
        MemoryFormat, typer.Option(help="How maps lie in memory.")
    ] = "contiguous",
    device: Device = "auto",
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Of the CPU.", show_default="as many as torch takes"),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0.1, max=86_400, help="How long to measure; five rounds at least."),
    ] = 10,
    rounds: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="How many rounds instead.", show_default=False),
    ] = None,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Measure how long a forward takes, in one form or several, beside another network or alone.

    All take turns, round by round, after a warm-up; shown are the medians and, in brackets, the
    quartiles. Ratios compare within rounds. A form has to give the numbers that eager gives.
    Ctrl-C shows what was measured so far. --set changes SPEC alone.

    Examples:
        archgen bench repvgg_a0 --form eager,folded --threads 1
        archgen bench dpn98 --against resnext101_64x4d --batch 8
        archgen bench resnet50 --against timm:resnet50 --memory-format channels_last
    """
    forms = _forms(form)
    nets = [load_net(spec, set_, blocks)]
    timm = None
    if against is not None and against.startswith(TIMM):
        timm = against.removeprefix(TIMM)
    elif against is not None:
        nets.insert(0, load_net(against))
    for net in nets:
        refuse_large(net)
    with working("loading PyTorch"):
        import torch

        from archgen.train.device import choose_device, use_threads

        chosen = choose_device(device)
    count = threads or torch.get_num_threads()
    conditions = Conditions(str(chosen), count, batch, dtype, memory_format)
    if chosen.type == "cpu":
        from archgen.bench.memory import check_memory

        check_memory(nets, forms, conditions)
    with use_threads(count), enough_memory(nets[-1]):
        ready = _prepared(nets, timm, forms, conditions)
        with measuring() as report:
            from archgen.bench.run import bench as measure

            result = measure(ready, conditions, seconds=seconds, rounds=rounds, report=report)
    if json:
        print_json(result)
    else:
        _print(result)
    _remark(result)
    if result.interrupted:
        raise typer.Exit(130)


def _forms(text: str) -> list[Form]:
    """Read the forms of ``--form``, in their order.

    Raises:
        ArchError: One is no form, or is there twice.
    """
    names = [name.strip() for name in text.split(",")]
    for index, name in enumerate(names):
        if name not in get_args(Form):
            raise ArchError("--form", unknown("form", name, get_args(Form)))
        if name in names[:index]:
            raise ArchError("--form", f"{name!r} is there twice")
    return names  # type: ignore[return-value]


def _prepared(
    nets: Sequence[Net], timm: str | None, forms: Sequence[Form], conditions: Conditions
) -> list[Entrant]:
    """Build the networks, that of timm first, and make their forms."""
    import torch

    from archgen.bench.entrants import entrants
    from archgen.bench.forms import check_form
    from archgen.bench.subjects import check_timm, spec_subject, timm_subject

    for form in forms:
        check_form(form, conditions)
    if timm is not None:
        check_timm(timm)
    with working(f"preparing {nets[-1].name}"):
        torch.manual_seed(0)
        subjects = [spec_subject(net) for net in nets]
        if timm is not None:
            subjects.insert(0, timm_subject(timm, nets[-1].input))
        if len({subject.name for subject in subjects}) < len(subjects):
            pairs = zip(subjects, "AB", strict=True)
            subjects = [replace(each, name=f"{each.name} ({letter})") for each, letter in pairs]
        return entrants(subjects, forms, conditions)


def _print(result: Bench) -> None:
    from archgen.ops import size

    how, machine = result.conditions, result.machine
    on_cpu = machine.device == machine.processor
    host = "" if on_cpu else f"{machine.processor}, "
    where = f"{machine.device}, {host}{threads_said(how.threads)}, {machine.cores} cores"
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    print_text(f"{where}; {versions}")
    inputs = dict.fromkeys(size(row.input) for row in result.rows)
    shared = f"{' and '.join(inputs)}, batch {how.batch}, {how.dtype}, {how.memory_format}"
    if how.memory_format != "contiguous" and any(r.form == "onnxruntime" for r in result.rows):
        shared += " (onnxruntime: its own)"
    print_text(f"{shared}; median of {result.rounds:,} rounds in turn")
    print_text("")
    headings = ["network", "form", ">ms", ">CPU ms", ">images/s", ">ms / first"]
    cells = [_cells(row, result.rows[0]) for row in result.rows]
    if len(inputs) > 1:
        headings.insert(1, ">input")
        for row, line in zip(result.rows, cells, strict=True):
            line.insert(1, size(row.input))
    print_table(headings, cells, elastic=["network"])


def _cells(row: Row, first: Row) -> list[str]:
    cpu = 1e3 * row.cpu_seconds.median
    return [
        row.name,
        row.form,
        _spread(row.seconds, 1e3),
        _figure(cpu, cpu),
        f"{row.images_per_second:,.1f}",
        "1" if row is first else _spread(row.ratio, 1),
    ]


def _spread(spread: Spread, unit: float) -> str:
    """Write ``28.3 (27.9 to 28.6)``, in as many digits as the median has."""
    low, middle, high = (
        _figure(unit * value, unit * spread.median)
        for value in (spread.low, spread.median, spread.high)
    )
    return f"{middle} ({low} to {high})"


def _figure(value: float, like: float) -> str:
    """Write a number so that one like another has three digits."""
    digits = max(0, 2 - floor(log10(like))) if like > 0 else 0
    return f"{value:,.{digits}f}"


def _remark(result: Bench) -> None:
    if result.busy and result.share is not None:
        many = result.conditions.threads > result.machine.cores
        note(
            f"threads waited for a core {1 - result.share:.0%} of the time: "
            f"{'they are more than cores' if many else 'others were at work'}, "
            "and times by the clock are longer than on a quiet machine"
        )
    if result.interrupted:
        note("interrupted: these are the rounds until then")
