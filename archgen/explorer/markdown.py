"""Texts that others wrote, where markdown is read."""

from __future__ import annotations

import re

_JOINER = "\N{WORD JOINER}"
_LINKS = re.compile(r"://|www(?=\.)|@", re.IGNORECASE)


def escaped(text: str) -> str:
    """Take all meaning from a text but itself.

    GitHub's markdown makes links of bare addresses after it has taken escapes away
    (https://github.github.com/gfm/#autolinks-extension-): an invisible joiner breaks them.
    """
    apart = _LINKS.sub(rf"\g<0>{_JOINER}", " ".join(text.split()))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", apart)
