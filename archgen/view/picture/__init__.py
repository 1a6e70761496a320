"""A network as boxes, frames and arrows, opened at one place: what all diagrams draw.

Closed, a box is a stage, a stream, or a node with neither. Opened at a path, a stage is a frame
around its units, and a unit one around its operations. Nothing is ever drawn with more boxes than
a page takes: equal units in a row are folded, and so is what is far from what is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archgen.spec import Net
from archgen.view.picture.arrows import Arrow, arrows
from archgen.view.picture.boxes import Box, boxes
from archgen.view.picture.parts import Parts
from archgen.view.words import capital

__all__ = ["Arrow", "Box", "Picture", "picture"]


@dataclass(frozen=True)
class Picture:
    """A network, opened at one place.

    Args:
        name: The network's name.
        trail: Paths that lead to what is open, itself last; none where nothing is.
        parts: Paths of what can be opened next: inside it, or beside it where nothing is inside.
        boxes: In execution order.
        frames: Path of each frame -> path of the one around it, which comes before it; or "".
        arrows: What flows between the boxes.
        beside: Keys of boxes that stand side by side: the streams of each node.
    """

    name: str
    trail: tuple[str, ...]
    parts: tuple[str, ...]
    boxes: tuple[Box, ...]
    frames: dict[str, str]
    arrows: tuple[Arrow, ...]
    beside: tuple[tuple[str, ...], ...]

    @property
    def path(self) -> str:
        """Path of what is open; "" where nothing is."""
        return self.trail[-1] if self.trail else ""

    @property
    def said(self) -> str:
        """The picture in words, for who cannot see it."""
        opened = f" opened at {self.path}" if self.path else ""
        said = [f"{self.name}{opened}: {len(self.boxes)} boxes"]
        said += [f"{len(streams)} streams side by side" for streams in self.beside]
        said += ["residual and dense lanes"] if any(arrow.lane for arrow in self.arrows) else []
        said += ["shortcuts past units as arcs"] if any(arrow.arc for arrow in self.arrows) else []
        return f"{', '.join(said)}; {', '.join(box.lines[0] for box in self.boxes)}"

    @property
    def legend(self) -> str:
        """What its colours and dashes mean, as far as it has them; "" for none."""
        said = []
        if any(arrow.lane for arrow in self.arrows):
            said.append("blue arrows: residual lane, red: dense lane, with their channels")
        if any(arrow.arc for arrow in self.arrows):
            said.append("green arcs: what a unit reads of units before the last")
        if any(box.folded > 1 for box in self.boxes):
            said.append("dashed: several parts as one")
        return capital("; ".join(said)) + "." if said else ""


def picture(net: Net, path: str = "") -> Picture:
    """Draw a network, opened at a path.

    Args:
        net: The spec.
        path: Module path of a node, stage, stream, unit or module in one; "" for none.

    Raises:
        ArchError: The spec cannot be lowered, or it has no such part.
    """
    parts = Parts(net)
    trail = parts.trail(path)
    drawn, frames = boxes(parts, trail)
    flows = arrows(parts, drawn, trail)
    if len(trail) > 1:
        drawn, flows, frames = _near(trail, drawn, flows, frames)
    return Picture(
        name=net.name,
        trail=trail,
        parts=parts.inside(path) or parts.inside(trail[-2] if len(trail) > 1 else ""),
        boxes=tuple(drawn),
        frames=frames,
        arrows=tuple(flows),
        beside=_beside(net, drawn),
    )


def _near(
    trail: Sequence[str], drawn: Sequence[Box], flows: Sequence[Arrow], frames: dict[str, str]
) -> tuple[list[Box], list[Arrow], dict[str, str]]:
    """Leave out what has nothing to do with what is open in a stage, and what passes it by."""
    outer, path = trail[-2:]
    framed = {key: above for key, above in frames.items() if _is_in(key, outer)} | {outer: ""}
    place = {box.key: at for at, box in enumerate(drawn)}
    inner = {box.key for box in drawn if _is_in(box.frame, path)}
    start, end = min(map(place.__getitem__, inner)), max(map(place.__getitem__, inner))
    known = {box.key for box in drawn if _is_in(box.frame, outer)}
    kept = [
        flow
        for flow in flows
        if inner & (ends := {flow.source, flow.target})
        or (known & ends and (place[flow.target] < start or place[flow.source] > end))
    ]
    known |= {end for flow in kept for end in (flow.source, flow.target)}
    shown = [box for box in drawn if box.key in known]
    return [b if b.frame in framed else replace(b, frame="") for b in shown], kept, framed


def _is_in(key: str, path: str) -> bool:
    return key == path or key.startswith(f"{path}.")


def _beside(net: Net, drawn: Sequence[Box]) -> tuple[tuple[str, ...], ...]:
    keys = [box.key for box in drawn]
    sets = []
    for name, node in net.nodes.items():
        if node.streams:
            taps = [source.replace(".", "_") for source in node.sources[-node.streams :]]
            sets.append(tuple(k for tap in taps if (k := f"{name}.{tap}") in keys))
    return tuple(streams for streams in sets if len(streams) > 1)
