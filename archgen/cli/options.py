"""Arguments that several commands take, and the spec that they name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from archgen import files
from archgen.errors import ArchError

if TYPE_CHECKING:
    from archgen.spec import Net


def complete_spec(incomplete: str) -> list[str]:
    """Complete names of shipped specs and paths of YAML files."""
    return _complete("specs", incomplete)


def complete_study(incomplete: str) -> list[str]:
    """Complete names of shipped studies and paths of YAML files."""
    return _complete("studies", incomplete)


def complete_searched(incomplete: str) -> list[str]:
    """Complete names of studies that were searched."""
    from archgen.study.storage import JOURNAL, RUNS

    found = sorted(path.parent.name for path in RUNS.glob(f"*/{JOURNAL}"))
    return [name for name in found if name.startswith(incomplete)]


def _complete(kind: files.Kind, incomplete: str) -> list[str]:
    found = [name for name in files.names(kind) if name.startswith(incomplete)]
    folder, slash, start = incomplete.rpartition("/")
    try:
        entries = sorted(Path(folder + slash or ".").iterdir())
    except OSError:
        return found
    for entry in entries:
        if entry.name.startswith(start) and entry.is_dir():
            found.append(f"{folder}{slash}{entry.name}/")
        elif entry.name.startswith(start) and entry.suffix in (".yaml", ".yml"):
            found.append(f"{folder}{slash}{entry.name}")
    return found


def checked_assignments(param: typer.CallbackParam, texts: list[str] | None) -> list[str]:
    """Refuse what is not PATH=VALUE, and what is given twice."""
    seen: set[str] = set()
    for text in texts or []:
        path, _, value = text.partition("=")
        if not path.strip() or not value.strip():
            raise typer.BadParameter(f"{text!r} is not {param.metavar}")
        if path.strip() in seen:
            raise typer.BadParameter(f"{path.strip()} is given twice")
        seen.add(path.strip())
    return texts or []


Spec: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="Name of a shipped spec, or path of a YAML file.",
        autocompletion=complete_spec,
        show_default=False,
    ),
]
Specs: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="SPEC...",
        help="Names of shipped specs, or paths of YAML files.",
        autocompletion=complete_spec,
        show_default=False,
    ),
]
Searched: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="Name of a study that was searched, or the folder of its results.",
        autocompletion=complete_searched,
        show_default=False,
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a value of the spec: stages.groups=32, input=[3,64,64]. Repeatable.",
        callback=checked_assignments,
        show_default=False,
    ),
]
Blocks: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--blocks",
        metavar="FILE.py",
        help="Execute a Python file of yours that defines more blocks. Repeatable.",
        show_default=False,
    ),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write NAME.py, NAME.safetensors and NAME.yaml there."),
]
Deploy: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--deploy",
        help="Fold norms and parallel branches into convolutions; "
        "--out writes NAME_deploy.py, NAME_deploy.safetensors and NAME_deploy.yaml, the spec that "
        "was folded.",
    ),
]
Batch: TypeAlias = Annotated[
    int, typer.Option(min=1, max=65_536, help="Images in a batch, for what is in bytes.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
Device: TypeAlias = Annotated[
    str,
    typer.Option(help="auto (an accelerator if there is one), cpu, cuda, cuda:N or mps."),
]
DataRoot: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where data sets lie, in torchvision's layout.",
        show_default="$ARCHGEN_DATA or data",
    ),
]
Download: TypeAlias = Annotated[
    bool, typer.Option("--download", help="Fetch the data set if it is not here.")
]


def use_blocks(paths: Sequence[Path] | None) -> None:
    """Execute the files of ``--blocks``.

    Raises:
        ArchError: One is not there or raises.
    """
    if paths:
        from archgen.blocks.outside import load_file

        for path in paths:
            load_file(path)


def load_net(
    spec: str, changes: Sequence[str] | None = None, blocks: Sequence[Path] | None = None
) -> Net:
    """Load a spec, with the changes of ``--set``; it is checked down to every shape.

    Raises:
        ArchError: A mistake in the spec or in a change.
    """
    from archgen.spec import load

    use_blocks(blocks)
    net = load(spec)
    values = assignments(changes, "--set")
    if values:
        net = net.set(values)
    net.graph()
    return net


def load_one_of(spec: str, changes: Sequence[str] | None) -> Net:
    """Load one of several specs as `load_net` does; a mistake in a change says in which.

    Raises:
        ArchError: A mistake in the spec or in a change.
    """
    try:
        return load_net(spec, changes)
    except ArchError as error:
        if error.file is not None or not changes:
            raise
        raise ArchError(error.path, error.message, file=spec) from None


def assignments(texts: Sequence[str] | None, option: str) -> dict[str, Any]:
    """The values of PATH=VALUE, each written as in YAML.

    Args:
        texts: As given.
        option: The option's name, for messages.

    Raises:
        ArchError: A value is no YAML.
    """
    values = {}
    for text in texts or []:
        path, _, value = text.partition("=")
        values[path.strip()] = _value(path.strip(), value, option)
    return values


def _value(path: str, text: str, option: str) -> object:
    from archgen import yamlfile

    try:
        return yamlfile.parse(text, option).value
    except ArchError as error:
        raise ArchError(path, f"{text!r} is no value: {error.message}", file=option) from None
