"""The text of a spec that is being edited, and what it says of the network on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archgen import files, yamlfile
from archgen.errors import ArchError
from archgen.explorer.shown import FILE, Shown, built
from archgen.spec import Net, parse


@dataclass(frozen=True)
class Draft:
    """A text in the editor.

    Args:
        text: As it stands there, right or wrong.
        shown: The network on the screen: the text's, or while that is wrong the last right one.
        error: What is wrong with the text; None if nothing is.
    """

    text: str
    shown: Shown
    error: ArchError | None = None

    @classmethod
    def of(cls, shown: Shown, build: Callable[[str], Net] = built) -> Draft:
        """Take up the text of a network; one that is refused comes with its error.

        Args:
            shown: The network.
            build: Gives the network of a word, lowered: a page keeps those that it has built.
        """
        try:
            text = shown.text or _shipped(shown.spec)
        except ArchError as error:
            return cls("", shown, error)
        try:
            net = build(shown.word())
        except ArchError as error:
            return cls(text, shown, error)
        return cls(net.dump() if shown.changes else text, shown)

    def edited(self, text: str) -> Draft:
        """Put another text in its place; the network follows if the text is right."""
        try:
            net = parse(text, FILE)
            net.graph()
        except ArchError as error:
            return Draft(text, self.shown, error)
        return Draft(text, Shown(net.name) if _ships(net.name, text) else Shown("", text))

    def opened(self, content: bytes) -> Draft:
        """Put a file's content in its place."""
        try:
            return self.edited(yamlfile.decode(content, FILE))
        except ArchError as error:
            return Draft(content.decode(errors="replace"), self.shown, error)

    @property
    def line(self) -> int:
        """The line of the mistake, from 1; 0 if there is none."""
        return (self.error.line or 1) if self.error else 0

    @property
    def complaint(self) -> str:
        """What is wrong, without the place in a file; "" if nothing is."""
        if self.error is None:
            return ""
        return ": ".join(filter(None, (self.error.path, self.error.message)))


def _ships(name: str, text: str) -> bool:
    """Say whether a text is that of a shipped spec, whose name makes a shorter address."""
    return name in files.names("specs") and text == _shipped(name)


def _shipped(name: str) -> str:
    return files.find("specs", name).read_text(encoding="utf-8")
