"""Turning one number of the network on the screen: what follows it, and what refuses it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from archgen.analysis import cost
from archgen.errors import ArchError, unknown
from archgen.explorer.knobs import knobs
from archgen.explorer.shown import Shown
from archgen.inverse import COSTS, nearest
from archgen.spec import Net

_PART = ";"


@dataclass(frozen=True)
class Lock:
    """A cost that stays while others turn, because one number follows.

    Args:
        cost: One of `COSTS`.
        target: What it should be, from 1 to `MOST`.
        by: The dotted path of the number that follows.
    """

    MOST: ClassVar = 10**15

    cost: str
    target: float
    by: str

    @classmethod
    def read(cls, word: str) -> Lock:
        """Read what `word` wrote.

        Raises:
            ArchError: It is no such word.
        """
        goal, _, by = word.partition(_PART)
        cost, _, number = goal.partition("=")
        try:
            target = float(number)
        except ValueError:
            target = math.nan
        if not (by and 1 <= target <= cls.MOST):  # not a number is neither
            said = (
                "in the address is no lock; write params=1.7e6;stages.width.alpha, from 1 to 1e15"
            )
            raise ArchError("", f"{word!r} {said}")
        if cost not in COSTS:
            raise ArchError("", unknown("cost", cost, COSTS))
        return cls(cost, target, by)

    def word(self) -> str:
        """Write it as one word, which an address can hold."""
        return f"{self.cost}={self.target:.12g}{_PART}{self.by}"

    def follow(self, shown: Shown) -> Shown:
        """Turn the number that follows to where the cost is nearest to its target.

        A number whose field takes real ones is one here, though the spec may write it whole.

        Raises:
            ArchError: There is no such number, or none that changes the cost.
        """
        net = shown.net()
        knob = next((knob for knob in knobs(net) if knob.path == self.by), None)
        if knob is None or knob.number is None:
            raise ArchError(self.by, "is no number of this network: let another one follow")
        given = knob.number if knob.whole else float(knob.number)
        found = nearest(net.set({self.by: given}), self.cost, self.target, [self.by])
        return changed(shown, self.by, found.best.values[self.by])

    def off(self, net: Net) -> float | None:
        """Give how far a network is from the target, as a part of it; None without that cost."""
        count: int | None = getattr(cost(net), self.cost)
        return None if count is None else count / self.target - 1


@dataclass(frozen=True)
class Refusal:
    """A value that the network on the screen could not take.

    Args:
        path: What was turned.
        value: How far.
        message: What was wrong, and what would be right.
    """

    path: str
    value: Any
    message: str


@dataclass(frozen=True)
class Turned:
    """What is shown once something was turned; a refused value is not in it."""

    shown: Shown
    refused: Refusal | None = None


def turn(
    shown: Shown, path: str, value: Any, lock: Lock | None = None, refused: Refusal | None = None
) -> Turned:
    """Set one value, if a network comes of it.

    A value that was refused before is tried along with it: widths and groups may fit together
    where neither fits alone.

    Args:
        shown: The network on the screen.
        path: What is turned.
        value: What it shall be.
        lock: What follows.
        refused: What was refused before.

    Raises:
        ArchError: `shown` itself cannot be read.
    """
    alone = _tried(shown, {path: value}, lock)
    if refused is not None and refused.path != path:
        both = _tried(shown, {refused.path: refused.value, path: value}, lock)
        if isinstance(both, Shown):
            return Turned(both)
        if isinstance(alone, Shown):
            return Turned(alone, replace(refused, message=both))
    return Turned(alone) if isinstance(alone, Shown) else Turned(shown, Refusal(path, value, alone))


def changed(shown: Shown, path: str, value: Any) -> Shown:
    """Change one value, where it is not that already without being changed.

    Raises:
        ArchError: Its other changes leave no valid spec.
    """
    rest = {
        other: kept
        for other, kept in shown.changes.items()
        if other != path and not other.startswith(f"{path}.")
    }
    net = replace(shown, changes=rest).net()
    same = any(knob.path == path and _same(knob.value, value) for knob in knobs(net))
    return replace(shown, changes=rest if same else rest | _written(net, path, value))


class Change(NamedTuple):
    """A value that is not the base's: its dotted path, what it was, what it is."""

    path: str
    before: Any
    now: Any


def changes(shown: Shown) -> list[Change]:
    """List what was changed, each against what it was when that was done.

    Raises:
        ArchError: The network has no such value to change.
    """
    net, found = shown.base(), []
    for path, value in shown.changes.items():
        values = {knob.path: knob.value for knob in knobs(net)}
        found.append(Change(path, values[path] if path in values else net.get(path), value))
        net = net.set({path: value})
    return found


def _tried(shown: Shown, values: Mapping[str, Any], lock: Lock | None) -> Shown | str:
    """Give what is shown with some values, or what refuses them."""
    try:
        for path, value in values.items():
            shown = changed(shown, path, value)
        shown = lock.follow(shown) if lock is not None else shown
        shown.net().graph()
    except ArchError as error:
        return str(error)
    return shown


def _same(one: Any, other: Any) -> bool:
    """Compare two values of a spec: 2.0 is 2, but true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _written(net: Net, path: str, value: Any) -> dict[str, Any]:
    """Write a change as `Net.set` takes it: a real number that is whole without a point.

    A field of a shortcut that the spec has as a plain word needs the long form.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    node, _, field = path.partition(".")
    if field.startswith("shortcut.") and isinstance(net.nodes[node].shortcut, str):
        key = field.removeprefix("shortcut.")
        return {f"{node}.shortcut": {**net.nodes[node].join, key: value}}
    return {path: value}
