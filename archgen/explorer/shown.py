"""A network on the screen as a word in the address: a shipped spec or a text, and its changes."""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archgen import files, yamlfile
from archgen.errors import ArchError
from archgen.spec import Net, load, parse

DEFAULT = "dpn131"
FILE = "spec.yaml"
"""What messages call a text of one's own."""
_TEXT, _PART = "~", ";"


@dataclass(frozen=True)
class Shown:
    """A network that is shown.

    Args:
        spec: The name of a shipped spec; not used where there is a text.
        text: The spec itself as YAML; may be empty.
        changes: Dotted path to value, for all that was turned since.
    """

    spec: str = DEFAULT
    text: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, word: str) -> Shown:
        """Read what `word` wrote.

        Raises:
            ArchError: It is no such word.
        """
        first, *parts = word.split(_PART)
        changes = {}
        for part in parts:
            path, equals, value = part.partition("=")
            if not (path and equals):
                raise ArchError("", f"{part!r} in the address is no PATH=VALUE")
            changes[path] = yamlfile.parse(value, "<address>").value
        text = _unpacked(first[1:]) if first.startswith(_TEXT) else ""
        return cls("" if text else first, text, changes)

    def word(self) -> str:
        """Write it as one word, which an address can hold."""
        first = _TEXT + _packed(self.text) if self.text else self.spec
        return _PART.join([first, *(f"{path}={_flow(v)}" for path, v in self.changes.items())])

    def base(self) -> Net:
        """Give the network without its changes.

        Raises:
            ArchError: There is no such spec, or a mistake in the text, with its line.
        """
        if self.text:
            return parse(self.text, FILE)
        known = files.names("specs")  # an address must not open other files
        if self.spec not in known:
            raise ArchError("", files.unknown("specs", self.spec))
        return load(self.spec)

    def net(self) -> Net:
        """Give the network with its changes.

        Raises:
            ArchError: As `base` does, or a change is refused.
        """
        return self.base().set(self.changes) if self.changes else self.base()


def built(word: str) -> Net:
    """Give the network that a word stands for, lowered.

    Raises:
        ArchError: The word names no network, or its spec is refused.
    """
    net = Shown.read(word).net()
    net.graph()
    return net


def _flow(value: Any) -> str:
    """Write a value on one line, as YAML reads it."""
    return json.dumps(value, separators=(",", ":")).replace(_PART, f"\\u{ord(_PART):04x}")


def _packed(text: str) -> str:
    return urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def _unpacked(word: str) -> str:
    """Read what `_packed` wrote, of a spec's size at most: an address may come from anyone."""
    try:
        packed = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, yamlfile.MAX_BYTES)
        if not unpacker.eof:
            raise ArchError("", "the address holds only a part of a spec, or too long a one")
        return text.decode()
    except (binascii.Error, zlib.error, UnicodeError, ValueError):
        raise ArchError("", "the address holds a spec that cannot be read") from None
