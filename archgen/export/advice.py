"""What to say of weights that do not fit. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from archgen import files
from archgen.errors import ArchError, first
from archgen.export.fit import COUNTER, Fit, classifier, fit, tensors
from archgen.export.names import NAMINGS, OURS
from archgen.export.naming import said
from archgen.ops import Shape
from archgen.passes.fold import fold
from archgen.spec import load
from archgen.spec.head import head_of

_IS_FOLDED = "these weights are folded: the training form's are needed"
NEAR = 3
"""Networks that a message names."""
SHOWN = 2
"""Differences of a kind that a message names."""


def complaint(of: Fit, given: Mapping[str, Shape]) -> str:
    """Say in one line what would fit, and what does not.

    Args:
        of: The fit, one that is not complete.
        given: Names and shapes in the file.
    """
    some = of.found or of.misfits
    wrong = _wrong(of) if some else [f"the file holds {first(given)}"]
    named = (of.missing, of.unexpected, of.misfits) if some else (given,)
    cut = any(len(names) > SHOWN for names in named)
    return "; ".join([_refused(of), _advice(of, given), *wrong]) + " (--json lists all)" * cut


def difference(of: Fit, given: Mapping[str, Shape]) -> str:
    """Say in one line what does not fit, as `complaint` does."""
    if _folded(of, given):
        return _IS_FOLDED
    return "; ".join([_refused(of), *_wrong(of)])


def _refused(of: Fit) -> str:
    if not (of.found or of.misfits):
        return f"{of.net.name} has none of these weights"
    known = "" if of.naming is OURS else f", read as {of.naming.source}"
    return f"these weights do not fit {of.net.name}{known}"


def _wrong(of: Fit) -> list[str]:
    lacking = [
        ours if theirs in (None, ours) else f"{theirs} ({ours})"
        for ours, theirs in of.missing.items()
    ]
    shapes = [f"{one.theirs} is {[*one.given]}, not {[*one.wanted]}" for one in of.misfits]
    wrong = [
        f"the file lacks {first(lacking)}" if lacking else "",
        f"the network has no {first(of.unexpected)}" if of.unexpected else "",
        first(shapes),
    ]
    return [*filter(None, wrong)]


def _advice(of: Fit, given: Mapping[str, Shape]) -> str:
    if _folded(of, given):
        return _IS_FOLDED
    strange = [ours for ours, theirs in of.missing.items() if theirs is None] + [*of.unexpected]
    hints = {said(of.naming.hints, name) for name in strange}
    if len(hints) == 1 and (hint := hints.pop()) and not of.misfits:
        return hint
    if only_classifier(of):
        theirs, ours = of.misfits[0].given[0], of.misfits[0].wanted[0]
        path = f"{head_of(of.net)}.classes"
        return f"--classes {ours} starts a new classifier, --set {path}={theirs} takes theirs"
    if other := _other_images(of, given):
        return other
    if near := fitting(given):
        return f"they fit {first(near, NEAR)}"
    return "--partial loads what fits" if of.found else "no network of the library has them"


def _folded(of: Fit, given: Mapping[str, Shape]) -> bool:
    """Whether a file has the names of the network's deploy form."""
    names = {name for name in given if not name.endswith(COUNTER)}
    return bool(of.missing) and names == {*tensors(fold(of.net.graph()).graph)}


def _other_images(of: Fit, given: Mapping[str, Shape]) -> str:
    """Say which input would do where nothing but its channels differs."""
    channels, *size = of.net.input
    stems = [one for one in of.misfits if min(len(one.given), len(one.wanted)) > 1]
    found = {one.given[1] for one in stems if one.wanted[1] == channels}
    if of.missing or of.unexpected or len(found) != 1:
        return ""
    (theirs,) = found
    try:
        fits = fit(of.net.set({"input": [theirs, *size]}), given)
    except ArchError:
        return ""
    wanted = ",".join(map(str, [theirs, *size]))
    return f"--set input=[{wanted}] takes theirs" if fits.complete else ""


def only_classifier(of: Fit) -> bool:
    """Whether nothing but the number of classes differs."""
    if of.missing or of.unexpected or not (of.found and of.misfits):
        return False
    if not {one.ours for one in of.misfits} <= {*classifier(of.net)}:
        return False
    rest = [one.given[1:] in (one.wanted[1:], (*one.wanted[1:], 1, 1)) for one in of.misfits]
    counts = {one.given[:1] for one in of.misfits}
    return all(rest) and len(counts) == 1 and not counts & {(), (0,)}


def fitting(given: Mapping[str, Shape]) -> list[str]:
    """Name the networks of the library that a file fits, whatever the number of classes."""
    spelled = [(naming, {naming.today(name) for name in given}) for naming in NAMINGS]
    near = []
    for net in map(load, files.names("specs")):
        wanted = tensors(net.graph())
        # Far quicker than a fit each: most lack the first name already.
        if any(all(one.theirs(name) in names for name in wanted) for one, names in spelled):
            found = fit(net, given)
            near += [net.name] * (found.complete or only_classifier(found))
    return near
