"""``archgen weights``: a network with weights from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgen.cli.build import enough_memory, refuse_large
from archgen.cli.console import note, print_json, print_text, working
from archgen.cli.options import Blocks, Deploy, Json, Out, Set, Spec, load_net
from archgen.cli.out import outlet
from archgen.errors import ArchError, first
from archgen.files import check_file

if TYPE_CHECKING:
    from archgen.export.fit import Fit
    from archgen.nn.weights import Weights


def weights(
    spec: Spec,
    from_: Annotated[
        Path,
        typer.Option(
            "--from",
            metavar="FILE",
            help="A .safetensors file, or a .pth of PyTorch.",
            show_default=False,
        ),
    ],
    classes: Annotated[
        int | None,
        typer.Option(
            min=1, max=10**6, metavar="N", help="Start a new classifier for so many classes."
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Load what fits, even if something is missing.")
    ] = False,
    out: Out = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Decides weights that are not loaded.")
    ] = 0,
    deploy: Deploy = False,
    set_: Set = None,
    blocks: Blocks = None,
    json: Json = False,
) -> None:
    """Load weights from elsewhere into a network.

    Understood are the names of torchvision, of timm and of the papers' own PyTorch code, as well
    as archgen's. Nothing in the file is executed. Says what did not fit, and then exits 1 and
    writes nothing, unless --partial is given.

    Examples:
        archgen weights resnet50 --from resnet50-0676ba61.pth --out nets
        archgen weights dpn92 --from model.safetensors --classes 10 --out nets
        archgen weights repvgg_a0 --from RepVGG-A0-train.pth --deploy --out nets
        archgen weights preresnet50 --from v2.pth --set 'stem={block: bare_conv_pool, width: 64}'
    """
    if deploy and out is None:
        raise ArchError("--deploy", "acts on what is written; give --out DIR too")
    net = load_net(spec, set_, blocks)
    refuse_large(net)
    check_file(from_)
    with outlet(out, net, deploy=deploy):
        with working(f"loading {from_.name}"), enough_memory(net):
            import torch

            from archgen.export.fit import fit
            from archgen.export.load import fill
            from archgen.nn import deploy as fold
            from archgen.nn.save import save, save_deployed
            from archgen.nn.weights import not_finite, read_weights

            given = read_weights(from_)
            found = fit(net, given.shapes, classes=classes)
            fits = found.loads(partial=partial)
            written: list[Path] = []
            strange: list[str] = []
            if fits or not json:
                torch.manual_seed(seed)
                model, own = fill(found, given, partial=partial), found.net
                strange = not_finite(model)
                # A new or partly initialised network was not trained on what these weights were.
                same = found.complete and not found.new
                about = dict(given.metadata) if same else {}
                about["from"] = f"{from_.name}, {found.naming.source}"
                if out is not None and deploy:
                    written = save_deployed(fold(model), own, out, metadata=about)
                elif out is not None:
                    written = save(model, own, out, metadata=about)
        if json:
            print_json(
                _document(found, given) | {"not_finite": strange, "fits": fits, "files": written}
            )
            raise typer.Exit(0 if fits else 1)
        _print(found, given)
        if strange:
            note(f"not finite (NaN or infinity): {first(strange)}")
        for path in written:
            print_text(f"wrote {path}")


def _document(of: Fit, given: Weights) -> dict[str, Any]:
    return {
        "name": of.net.name,
        "weights": given.path,
        "source": of.naming.source,
        "entry": given.entry,
        "loaded": of.found,
        "new": of.new,
        "missing": of.missing,
        "unexpected": of.unexpected,
        "misfits": of.misfits,
        "unused": of.unused,
    }


def _print(of: Fit, given: Weights) -> None:
    every = len(of.found) + len(of.new) + len(of.missing) + len(of.misfits)
    where = f" ({given.entry})" if given.entry else ""
    print_text(f"{given.path}{where}: the names are those of {of.naming.source}")
    for why in dict.fromkeys(of.unused.values()):
        these = [name for name, reason in of.unused.items() if reason == why]
        print_text(f"left out {first(these)}: {why}")
    if of.new:
        print_text(f"new for {of.net.graph().classes:,} classes: {first(of.new)}")
    if of.missing:
        note(f"not in the file, initialised: {first(of.missing)}")
    if of.misfits:
        shapes = [
            f"{one.ours} [{_size(one.wanted)}] for [{_size(one.given)}]" for one in of.misfits
        ]
        note(f"of another shape, initialised: {first(shapes)}")
    if of.unexpected:
        note(f"not in the network, left out: {first(of.unexpected)}")
    print_text(f"loaded {len(of.found):,} of {every:,} tensors into {of.net.name}")


def _size(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
